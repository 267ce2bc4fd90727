// What the container of an image gives away, as a scan's report and `inspect` tell it. The disk's bytes are the container's; which
// volume is concerned is seen here.

import type { Fact } from '../bytes/fact.ts';
import type { Survey } from '../bytes/open-image.ts';
import type { Tell } from '../bytes/tell.ts';
import type { VolumeFacts } from '../model.ts';
import type { ReportBlock } from '../report/report.ts';

/** One entry for each tell, under the first volume that it concerns. */
export function containerBlocks({ tells }: Survey, volumes: readonly VolumeFacts[]): ReportBlock[] {
  return tells.map(tell => {
    const { at, role, rule, confidence, entries, detail } = tell;
    const volume = volumes.find(each => concerns(tell, each))?.index ?? 0;
    return { volume, block: at, role, rule, confidence, entries, detail };
  });
}

/** The volume's facts with a line for each tell that concerns it. */
export function withTells(facts: VolumeFacts, survey: Survey): VolumeFacts {
  const tells = survey.tells.filter(tell => concerns(tell, facts)).map(tellFact);
  const lines = [...tells, ...troubleFacts(survey)].map(({ name, detail }) => `${name}: ${detail}`);
  return lines.length === 0 ? facts : { ...facts, gates: [...facts.gates, ...lines] };
}

/** For `inspect`. */
export function surveyFacts(survey: Survey): Fact[] {
  return [...survey.tells.map(tellFact), ...troubleFacts(survey)];
}

function tellFact({ rule, confidence, detail }: Tell): Fact {
  return { name: rule, detail: `${confidence}: ${detail}` };
}

function troubleFacts({ trouble }: Survey): Fact[] {
  return trouble === null ? [] : [{ name: 'container-not-compared', detail: trouble }];
}

/** What cannot be placed on the disk concerns every volume of it. */
function concerns({ disk }: Tell, { offset, size }: VolumeFacts): boolean {
  if (disk === null || offset === null || size === null) return true;
  return disk.offset < offset + size && offset < disk.offset + disk.length;
}
