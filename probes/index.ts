/** Every protocol we speak, one line each. The exported name is its name in specs, reports, metrics and fixtures. */
export { ntp } from './ntp.ts';
