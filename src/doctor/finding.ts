/** One thing that was looked at, and how it stands. `code` says what was found; `facts` what is particular of it. */
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
  | 'keyTaken'
  | 'keyRefused'
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
  | 'buffered'
  | 'compressed'
  | 'cannotMeasure'
  | 'silenceKept'
  | 'silenceCut'
  | 'links'
  | 'linksElsewhere';
