/** The result of one test. `code` says what was found, `facts` hold its details. */
export type Finding = {
  readonly level: 'good' | 'warn' | 'bad' | 'skipped';
  readonly code: Code;
  readonly facts: Readonly<Record<string, string>>;
};

export type Code =
  | 'reached'
  | 'unreachable'
  | 'notTheApi'
  | 'notFound'
  | 'keyAccepted'
  | 'keyNotNeeded'
  | 'keyMissing'
  | 'keyRefused'
  | 'originMissing'
  | 'originRefused'
  | 'serverError'
  | 'models'
  | 'noModels'
  | 'preflight'
  | 'preflightRefused'
  | 'preflightBare'
  | 'plainHttp'
  | 'mixedContent'
  | 'encrypted'
  | 'streams'
  | 'streamCut'
  | 'buffered'
  | 'compressed'
  | 'cannotMeasure'
  | 'silenceKept'
  | 'silenceCut'
  | 'links'
  | 'linksElsewhere';
