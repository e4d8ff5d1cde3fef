/**
 * The id under which a picture of PandoraToV1Api or RefreshToV1Api is stored, from its name there
 * (`image_20231217044452.png`). Null for any other name. `sluice import` copies such pictures, so
 * that links in old conversations keep working.
 */
export function oldPictureId(name: string): string | null {
  const match = /^image_(\d{14})\.(png|jpe?g|gif|webp)$/i.exec(name);
  return match ? `old-${match[1]}-${match[2]?.toLowerCase()}` : null;
}
