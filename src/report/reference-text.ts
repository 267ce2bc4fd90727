// How the name of a reference reads in a sentence for people. Reports keep the exact one.

/** No baseline's name holds an @, which ends it. */
const GENERATION = /\bbaseline:([^@]+?)@(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z/g;

/** "baseline:nightly@2014-06-01T02:00:00.5Z" -> "baseline nightly of 2014-06-01 02:00:00 UTC", wherever it stands in `text`. */
export function referencesForPeople(text: string): string {
  return text.replace(GENERATION, 'baseline $1 of $2 $3 UTC').replace(/^journal$/, 'the file system’s own log');
}

/** The same, of a sentence that may begin with it. */
export function sentenceForPeople(text: string): string {
  return referencesForPeople(text).replace(/^baseline(?= .* UTC)/, 'Baseline');
}
