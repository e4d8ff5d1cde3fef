import type { Tokens } from 'marked';
import { inside } from './rich.tsx';

/** A Markdown table. */
export function RichTable({ token }: { token: Tokens.Table }) {
  const align = (cell: Tokens.TableCell) => (cell.align === 'right' ? 'number' : undefined);
  const content = (cell: Tokens.TableCell) => inside({ type: 'text', raw: cell.text, tokens: cell.tokens });
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {token.header.map((cell, i) => (
              <th key={i} scope="col" class={align(cell)}>
                {content(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, at) => (
                <td key={at} class={align(cell)}>
                  {content(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
