/** How the web app uses a file: shown to the model, searched, or only read by code. */
export type UseCase = 'multimodal' | 'my_files' | 'ace_upload';

const pictures = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];

/**
 * The documents that the web app searches (the same table in its gizmo resource and in two
 * converters).
 */
const documents = [
  'text/x-php',
  'application/msword',
  'text/x-c',
  'text/html',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/json',
  'text/javascript',
  'application/pdf',
  'text/x-java',
  'text/x-tex',
  'text/x-typescript',
  'text/x-sh',
  'text/x-csharp',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'text/x-c++',
  'application/x-latext',
  'text/markdown',
  'text/plain',
  'text/x-ruby',
  'text/x-script.python',
];

const useCases = new Map<string, UseCase>([
  ...pictures.map((type) => [type, 'multimodal'] as const),
  ...documents.map((type) => [type, 'my_files'] as const),
]);

/** The use of a file by its type: the web app knows 24. Every other file is for code alone. */
export function useCaseOf(type: string): UseCase {
  return useCases.get(type) ?? 'ace_upload';
}
