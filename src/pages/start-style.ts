/**
 * The style of the start page: light and dark, from the width of a phone, with the fonts of the
 * system.
 */
export const startStyle = `
:root{color-scheme:light dark;--ink:#15202b;--soft:#5b6b7a;--paper:#f7f9fa;--card:#fff;--line:#dde4e9;--water:#0b6e8f;--good:#1a7f4b;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf2;--soft:#93a4b3;--paper:#0d1418;--card:#141d23;--line:#26343d;--water:#5cc3e4;--good:#5fd39a;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI","PingFang SC","Microsoft YaHei",sans-serif}
main{max-width:44rem;margin:0 auto;padding:12vh 1.25rem 3rem}
h1{margin:0;font-size:2.6rem;letter-spacing:-.03em;color:var(--water)}
h2{margin:2.2rem 0 .6rem;font-size:.82rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--soft)}
.tagline{margin:.2rem 0 0;font-size:1.15rem;color:var(--soft)}
code{font:.92rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.base{display:block;padding:.8rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem;user-select:all;overflow-wrap:anywhere}
pre{margin:0;padding:.9rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem;overflow-x:auto}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
.notice{margin:1rem 0 0;padding:.7rem 1rem;background:var(--card);border:1px solid var(--line);border-inline-start:4px solid var(--water);border-radius:.6rem}
ul{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
li{display:flex;justify-content:space-between;gap:1rem;padding:.65rem 1rem}
li+li{border-top:1px solid var(--line)}
li span{color:var(--soft)}
li.ok span{color:var(--good)}
li.failing span,p.failing{color:var(--bad)}
a{color:var(--water)}
.links{margin-top:1rem}
`;
