"""The page that lines, tables and pictures are drawn on."""

from __future__ import annotations

from html import escape

# The id of what is marked, for the address of a frame that is to begin there.
ANCHOR = "gongkai-place"
CELL_STYLE = (
    "outline:3px solid #c4271b!important;outline-offset:-2px!important;background:#ffe27a!important;"
    "color:#111!important;scroll-margin:38vh"
)
ROW_STYLE = "background:#fff6d1!important;color:#111!important"
_STYLE = f"""
html{{color-scheme:light;background:#fff}}
body{{margin:0;padding:1rem 1.25rem;color:#1d1c1a}}
body{{font:15px/1.6 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}}
table{{border-collapse:collapse;margin:.6rem 0}}
td{{border:1px solid #9a948a;padding:.2rem .6rem;white-space:pre-wrap;vertical-align:middle}}
td.none{{border-style:dashed;border-color:#ddd7cc}}
p{{margin:.35rem 0;white-space:pre-wrap}}
h2,h3{{font-size:1.05rem;margin:.8rem 0 .3rem}}
ol{{list-style:none;margin:0;padding:0;font:13px/1.7 ui-monospace,Menlo,"Noto Sans Mono CJK SC",monospace}}
ol>li{{white-space:pre-wrap;overflow-wrap:anywhere;tab-size:8;padding-left:4.5rem;text-indent:-4.5rem}}
ol>li>i{{display:inline-block;width:3.7rem;margin-right:.8rem;text-indent:0;text-align:right}}
ol>li>i{{font-style:normal;color:#8a847a;user-select:none}}
.cut{{color:#8a847a;font-style:italic}}
figure{{position:relative;margin:0 auto;max-width:1190px;border:1px solid #ccc}}
figure img{{display:block;width:100%;height:auto}}
figure span{{position:absolute;box-sizing:border-box}}
figure .row{{left:0;right:0;background:rgba(255,214,64,.22)}}
figure .cell{{outline:3px solid #c4271b;background:rgba(255,214,64,.3);scroll-margin:38vh}}
tr.row td,li.row{{{ROW_STYLE}}}
tr td.cell,p.cell,h2.cell,li.row b,table.cell{{{CELL_STYLE}}}
li.row{{scroll-margin:38vh}}
li.row b{{font-weight:inherit;outline-offset:1px!important}}
"""


def page(title: str, body: str) -> str:
    """A whole HTML page; `title` is text, `body` is markup."""
    return (
        f'<!DOCTYPE html><html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
