"""The style of `report.html`, light and dark; the reader's system chooses."""

CSS = """
:root{--bg:#f6f7f9;--card:#fff;--ink:#17212b;--soft:#5b6875;--line:#dde3ea;--bar:#2a7f9e;--good:#17734a;
--goodbg:#dcf3e6;--bad:#a3271f;--badbg:#fbe3e0}
@media(prefers-color-scheme:dark){:root{--bg:#11161c;--card:#1a222b;--ink:#e7edf3;--soft:#9aa8b6;--line:#2c3844;
--bar:#58b4d3;--good:#7fdcae;--goodbg:#153a29;--bad:#ff9d92;--badbg:#46201d}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:54rem;padding:2.5rem 1.25rem;background:var(--bg);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{margin:.1rem 0 1.4rem;font-size:1.9rem;line-height:1.2;letter-spacing:-.015em}
h2{margin:0 0 .3rem;font-size:1.2rem;scroll-margin-top:1rem}
a{color:inherit;text-decoration-color:var(--bar);text-underline-offset:.2em}
.run,.trait,figcaption,dt{color:var(--soft);margin:0}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.9rem;margin:0 0 1.6rem}
.facts div,section,.scroll{background:var(--card);border:1px solid var(--line);border-radius:12px}
.facts div{padding:.8rem 1rem}.facts dd{margin:0;font-size:1.35rem;font-weight:650}.facts dt{font-size:.85rem}
section{padding:1.3rem 1.4rem;margin:1.1rem 0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.6rem 1rem;text-align:left;white-space:nowrap}
th{font-size:.82rem;font-weight:600;color:var(--soft)}td{border-top:1px solid var(--line)}.n{text-align:right}
.badge{font-size:.78rem;font-weight:600;padding:.16rem .55rem;border-radius:99px;vertical-align:.12em}
.calculated{color:var(--good);background:var(--goodbg)}.failed{color:var(--bad);background:var(--badbg)}
.reason{padding:.6rem .9rem;border-radius:8px;color:var(--bad);background:var(--badbg)}
.meter{display:inline-block;width:6.5rem;height:.5rem;margin-right:.4rem;border-radius:99px;background:var(--line);
overflow:hidden;vertical-align:.08em}
.meter i{display:block;height:100%;background:var(--bar)}
figure{margin:1rem 0}svg{display:block;width:100%;height:auto}.bar{fill:var(--bar)}
.axis{stroke:var(--line)}.tick{fill:var(--soft);font-size:11px}figcaption{font-size:.85rem}
ul{margin:.2rem 0 0;padding-left:1.2rem}p{margin:.5rem 0}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.3rem 1.4rem;margin:.6rem 0 0}
.pairs div{display:flex;gap:.6rem;justify-content:space-between;font-size:.9rem}.pairs dd{margin:0;text-align:right}
@media print{body{background:#fff;padding:0}section{break-inside:avoid}}
"""
