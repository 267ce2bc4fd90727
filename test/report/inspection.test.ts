import { expect, test } from 'vitest';
import { renderInspection } from '../../src/report/inspection.ts';
import { VOLUME } from './sample-report.ts';

test('what does not fit a line goes on below, under its beginning', () => {
  const features = Array.from({ length: 12 }, (_, index) => `feature_${index}`);
  const volume = { ...VOLUME, gates: ['short'], partition: null, trouble: null, holdsFiles: true, features, times: {} };
  const lines = renderInspection('vm', { container: 'raw', snapshots: [], facts: [], volumes: [volume] });
  expect(lines.slice(-3)).toEqual([
    `  features   ${features.slice(0, 8).join(' ')}`,
    `             ${features.slice(8).join(' ')}`,
    '  note       short',
  ]);
});
