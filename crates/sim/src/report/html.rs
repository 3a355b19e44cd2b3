//! A page with plots: one file, which needs nothing else.

use std::fmt::Write as _;

use super::{plot::Plot, table::rows};
use crate::scenario::{Figures, Second};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2433;--soft:#667085;--line:#e4e7ec;--paper:#fff;--card:#f8f9fb;\
--data:#3056d3;--good:#067647;--bad:#b42318;--aim:#b54708}\
@media(prefers-color-scheme:dark){:root{--ink:#eceff5;--soft:#98a2b3;--line:#2d3648;--paper:#12161f;--card:#1a202c;\
--data:#84a4ff;--good:#47cd89;--bad:#f97066;--aim:#fdb022}}\
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);\
font:16px/1.5 system-ui,sans-serif}main{max-width:76rem;margin:0 auto;padding:1.25rem}\
h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.05rem;margin:0}p{margin:.2em 0;color:var(--soft)}\
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem;margin-top:1rem}\
section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1rem;min-width:0}\
section p{font-size:.86rem}svg{width:100%;height:auto;display:block;margin-top:.5rem}\
svg text{font-size:13px;fill:var(--soft)}text.y{text-anchor:end}text.x,text.name{text-anchor:middle}\
.grid{stroke:var(--line)}.mark{stroke:var(--bad);stroke-dasharray:4 4}\
polyline{fill:none;stroke:var(--data);stroke-width:2;stroke-linejoin:round}rect{fill:var(--data)}\
table{border-collapse:collapse;width:100%;margin-top:1rem}td{padding:.3rem .5rem;border-bottom:1px solid var(--line);\
vertical-align:top}td+td{text-align:right;font-variant-numeric:tabular-nums}\
ul{padding:0;list-style:none}.met{color:var(--good)}.missed{color:var(--aim)}.broken{color:var(--bad)}";

const FILE_STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#667085}text.title{font-weight:600}text.y{text-anchor:end}\
text.x,text.name{text-anchor:middle}.grid{stroke:#98a2b355}.mark{stroke:#b42318;stroke-dasharray:4 4}\
polyline{fill:none;stroke:#5b7cff;stroke-width:2;stroke-linejoin:round}";
const UNWANTED: &str = "Unwanted per wanted";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Seconds as points.
fn over_time(figures: &Figures, of: impl Fn(&Second) -> Option<f64>) -> Vec<(f64, f64)> {
    let seconds = figures.series.seconds.iter();
    seconds.filter_map(|second| Some((second.at_s as f64, of(second)?))).collect()
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The page. `about` says what the scenario shows; `marks` are the seconds at which something befell.
pub fn html(figures: &Figures, about: &str, marks: &[f64]) -> String {
    let name = escaped(&figures.scenario);
    let mut text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{name}</title><style>{STYLE}</style>\n<main><h1>{name}</h1><p>{}</p>",
        escaped(about)
    );
    if figures.interrupted {
        text.push_str("<p class=\"broken\">Interrupted: this is what there was so far.</p>");
    }
    text.push_str("<table>\n");
    for (name, value) in rows(figures) {
        let _ = writeln!(text, "<tr><td>{}</td><td>{}</td></tr>", escaped(name), escaped(&value));
    }
    text.push_str("</table>\n<ul>");
    for check in &figures.broken {
        let _ = write!(
            text,
            "<li class=\"broken\">✗ bound broken: {}</li>",
            escaped(&check.to_string())
        );
    }
    for check in &figures.aims {
        let (class, sign) = if check.met { ("met", "✓") } else { ("missed", "○") };
        let check = escaped(&check.to_string());
        let _ = write!(text, "<li class=\"{class}\">{sign} aim {class}: {check}</li>");
    }
    text.push_str("</ul>\n<div class=\"plots\">\n");
    for plot in plots(figures, marks) {
        text.push_str(&plot.section());
    }
    text.push_str("</div>");
    if figures.verification_shared {
        text.push_str(
            "<p>What one simulated peer has verified, the others take as verified; real peers verify each for \
             themselves.</p>",
        );
    }
    text.push_str("</main></html>\n");
    text
}

/// The plot of documents that peers carry and do not want, as a file of its own.
pub fn svg(figures: &Figures, marks: &[f64]) -> String {
    let plot = plots(figures, marks).into_iter().find(|plot| plot.title == UNWANTED);
    plot.map(|plot| plot.file(FILE_STYLE)).unwrap_or_default()
}

fn plots<'a>(figures: &Figures, marks: &[f64]) -> Vec<Plot<'a>> {
    let time = "seconds from the begin of the measurement";
    let plot = |title, about, y, points| Plot {
        title,
        about,
        x: time,
        y,
        points,
        columns: false,
        at_least: 0.0,
        tenfold: false,
        marks: marks.to_vec(),
    };
    let series = &figures.series;
    let total: u64 = series.delays.values().sum();
    let mut sum = 0;
    let delays = series.delays.iter().map(|(delay, count)| {
        sum += count;
        (*delay as f64, ratio(sum, total).unwrap_or(0.0) * 100.0)
    });
    let delays = delays.collect();
    let most = series.loads.len().max(1) as f64;
    let loads = series.loads.iter().enumerate();
    let loads = loads.map(|(place, load)| ((place + 1) as f64 / most * 100.0, *load)).collect();
    let degrees = series.degrees.iter().map(|(links, peers)| (*links as f64, *peers as f64));
    let degrees = degrees.collect();
    let delivered = over_time(figures, |second| Some(ratio(second.delivered, second.due)? * 100.0));
    let unwanted = over_time(figures, |second| {
        ratio(second.received.saturating_sub(second.wanted), second.wanted)
    });
    vec![
        Plot {
            at_least: 100.0,
            ..plot(
                "Delivery",
                "Of the documents of each second: how many deliveries came that were due.",
                "percent of what was due",
                delivered,
            )
        },
        Plot {
            x: "milliseconds from publication to delivery",
            at_least: 100.0,
            marks: Vec::new(),
            ..plot(
                "Delay",
                "How many deliveries took at most so long.",
                "percent of deliveries",
                delays,
            )
        },
        Plot {
            tenfold: true,
            ..plot(
                UNWANTED,
                "Documents that peers carried and did not want, for each that was wanted.",
                "documents",
                unwanted,
            )
        },
        plot(
            "Copies",
            "Copies that came beyond the first.",
            "copies for each first one",
            over_time(figures, |second| ratio(second.duplicates, second.received)),
        ),
        Plot {
            x: "percent of peers",
            marks: Vec::new(),
            ..plot(
                "Load by peer",
                "What each peer sends, from the least to the most.",
                "bytes a second",
                loads,
            )
        },
        plot(
            "Load over time",
            "What a peer sends in the mean, control included.",
            "bytes a second",
            over_time(figures, |second| ratio(second.bytes, second.alive)),
        ),
        Plot {
            x: "links",
            columns: true,
            marks: Vec::new(),
            ..plot("Degree", "How many peers have so many links at the end.", "peers", degrees)
        },
        plot(
            "Living peers",
            "How many peers there are.",
            "peers",
            over_time(figures, |second| Some(second.alive as f64)),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_and_obeys_no_name() {
        let mut figures = Figures { scenario: "<script>".to_owned(), ..Figures::default() };
        figures.series.seconds =
            vec![Second { at_s: 1, due: 4, delivered: 2, ..Second::default() }];
        let page = html(&figures, "a & b", &[1.0]);
        assert!(page.contains("&lt;script&gt;") && page.contains("a &amp; b"));
        for outside in ["<script", "http:", "https:", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("<polyline"));
    }
}
