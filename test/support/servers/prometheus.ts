/** Prometheus and Alertmanager, as Debian has them. */
import { startServer, type Place, type Server } from '../servers.ts';

export const prometheusPort = 9090;
export const alertmanagerPort = 9093;

/** Scrapes one target every second, in whichever format it asks for by itself. */
export function startPrometheus(place: Place, target: string): Promise<Server> {
  return startServer(place, {
    name: 'prometheus',
    listens: [`tcp/${prometheusPort}`],
    files: {
      'prometheus.yml': `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: xenreach
    static_configs: [{ targets: ['${target}'] }]
`,
    },
    script: `exec prometheus --config.file=prometheus.yml --storage.tsdb.path=/run/xenreach/data --web.listen-address=127.0.0.1:${prometheusPort}`,
  });
}

export function startAlertmanager(place: Place): Promise<Server> {
  return startServer(place, {
    name: 'alertmanager',
    listens: [`tcp/${alertmanagerPort}`],
    files: { 'alertmanager.yml': 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n' },
    script: `exec prometheus-alertmanager --config.file=alertmanager.yml --storage.path=/run/xenreach/data --cluster.listen-address= --web.listen-address=127.0.0.1:${alertmanagerPort}`,
  });
}
