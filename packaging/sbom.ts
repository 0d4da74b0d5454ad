/**
 * What the portable folder is made of, as a CycloneDX bill of materials: npm's own for the packages, with Node and Debian's
 * libraries beside them. Nothing in it is of the moment it was made: one commit gives one text.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import own from '../package.json' with { type: 'json' };

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly sourceVersion: string;
}

interface Parts {
  /** Of packages that are in it, as packages or built into the program. */
  readonly packages: readonly string[];
  readonly debian: readonly DebianPackage[];
  readonly nodeVersion: string;
  /** Seconds since the epoch: the commit's. */
  readonly time: number;
}

const Component = v.looseObject({ 'bom-ref': v.string(), name: v.string(), version: v.string() });
const Bom = v.looseObject({
  bomFormat: v.literal('CycloneDX'),
  specVersion: v.string(),
  metadata: v.looseObject({ component: Component }),
  components: v.array(Component),
  dependencies: v.array(v.looseObject({ ref: v.string(), dependsOn: v.optional(v.array(v.string()), []) })),
});

export function billOfMaterials({ packages, debian, nodeVersion, time }: Parts): string {
  const bom = v.parse(Bom, JSON.parse(npmBill()));
  const components = bom.components.filter(({ name }) => packages.includes(name));
  const missing = packages.filter((name) => !components.some((component) => component.name === name));
  if (missing.length > 0) throw new Error(`npm's bill of materials lacks ${missing.join(', ')}`);
  const others = [nodeComponent(nodeVersion), ...debian.map(debianComponent)];
  const subject = bom.metadata.component['bom-ref'];
  const known = new Set([subject, ...components.map((component) => component['bom-ref'])]);
  const dependencies = bom.dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn }) => ({
      ref,
      dependsOn: [
        ...dependsOn.filter((name) => known.has(name)),
        ...(ref === subject ? others.map((each) => each['bom-ref']) : []),
      ],
    }));
  const timestamp = new Date(time * 1000).toISOString();
  const whole = {
    ...bom,
    serialNumber: '',
    metadata: {
      ...bom.metadata,
      timestamp,
      component: { ...bom.metadata.component, name: own.name, type: 'application' },
    },
    components: [...components, ...others],
    dependencies,
  };
  return `${JSON.stringify({ ...whole, serialNumber: serialNumber(JSON.stringify(whole)) }, null, 2)}\n`;
}

const npmBill = (): string =>
  execFileSync('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });

const nodeComponent = (version: string): v.InferOutput<typeof Component> => ({
  'bom-ref': `node@${version}`,
  type: 'application',
  name: 'node',
  version,
  purl: `pkg:generic/node@${version}`,
  licenses: [{ license: { id: 'MIT' } }],
});

const debianComponent = ({ name, version, source, sourceVersion }: DebianPackage): v.InferOutput<typeof Component> => ({
  'bom-ref': `debian/${name}@${version}`,
  type: 'library',
  name,
  version,
  purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=amd64`,
  licenses: [{ license: { name: `see licenses/debian/${name}.txt` } }],
  externalReferences: [
    {
      type: 'distribution',
      url: `https://snapshot.debian.org/package/${source}/${encodeURIComponent(sourceVersion)}/`,
      comment: 'source',
    },
  ],
});

/** RFC 9562, version 8: made of the content. */
function serialNumber(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${groups.join('-')}`;
}
