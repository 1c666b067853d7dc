import type { ReactNode } from "react";

import { cx } from "./cx";
import { Scroll } from "./Scroll";

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  readonly align?: "left" | "right";
  /** Left out where the table is narrow, or only where it is very narrow. */
  readonly minor?: "narrow" | "tiny";
  /** On a phone a row is a grid of three columns: "double" and "wide" take two and three of them, "right" ends a line. */
  readonly phone?: "double" | "wide" | "hidden" | "right";
  /** On a phone, which line of the row it is on. */
  readonly phoneLine?: 2;
  /** On a phone, where there is no head, the word before the value. */
  readonly phoneLabel?: string;
}

interface DataTableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
}

const MINOR = { narrow: "sm:hidden sm:@3xl:table-cell", tiny: "sm:hidden sm:@sm:table-cell" };

function phoneClass<Row>({ phone, phoneLine, phoneLabel }: Column<Row>): string {
  return cx(
    "max-sm:p-0",
    phoneLine === 2 && "max-sm:order-1",
    phone === "hidden" && "max-sm:hidden",
    phone === "double" && "max-sm:col-span-2",
    phone === "wide" && "max-sm:col-span-3",
    phone === "right" ? "max-sm:text-right" : "max-sm:text-left",
    phoneLabel !== undefined &&
      "max-sm:before:mr-1 max-sm:before:text-2xs max-sm:before:text-dim max-sm:before:content-[attr(data-label)]",
  );
}

/** A table with a head that stays; on a phone each row becomes a few short lines. Roles are written out, as `display` would drop them. */
export function DataTable<Row>({ label, columns, rows, rowKey }: DataTableProps<Row>) {
  return (
    <Scroll label={label}>
      <table role="table" aria-label={label} className="w-full border-separate border-spacing-0 max-sm:block sm:px-1.5">
        <thead role="rowgroup" className="max-sm:sr-only">
          <tr role="row">
            {columns.map(({ id, header, align, minor }) => (
              <th
                key={id}
                role="columnheader"
                scope="col"
                className={cx(
                  "sticky top-0 border-b border-line bg-panel px-1.5 py-1 text-2xs font-medium whitespace-nowrap text-dim",
                  align === "right" ? "text-right" : "text-left",
                  minor && MINOR[minor],
                )}
              >
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" className="max-sm:block">
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              role="row"
              className="hover:bg-raised/60 max-sm:grid max-sm:grid-cols-3 max-sm:gap-x-2 max-sm:border-b max-sm:border-line max-sm:px-3 max-sm:py-1.5"
            >
              {columns.map((column) => (
                <td
                  key={column.id}
                  role="cell"
                  data-label={column.phoneLabel}
                  className={cx(
                    "px-1.5 py-[3px] align-baseline whitespace-nowrap sm:border-b sm:border-line/50",
                    column.minor && MINOR[column.minor],
                    column.align === "right" && "text-right",
                    phoneClass(column),
                  )}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
