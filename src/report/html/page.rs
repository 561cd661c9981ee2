//! The shell of a page: head, navigation, sections, and what draws the plots.

use super::plot::Plot;
use super::text::{escaped, prose};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::{self, Write};
use std::sync::OnceLock;

const STYLE: &str = include_str!("page.css");
/// What the page does, in this order.
const SCRIPTS: [&str; 4] =
    [include_str!("look.js"), include_str!("charts.js"), include_str!("racks.js"), include_str!("page.js")];

/// Nothing but what is in the page may be used by it: no network.
const POLICY: &str =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:";

/// Bytes packed for a script element: gzip, then base64, which no byte of can end the element.
fn packed(bytes: &[u8]) -> io::Result<String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// The plotting library, packed.
fn library() -> io::Result<&'static str> {
    static PACKED: OnceLock<String> = OnceLock::new();
    if let Some(packed) = PACKED.get() {
        return Ok(packed);
    }
    // The crate gives plotly.js and MathJax, each in an element of its own; formulas are not used here.
    let elements = plotly::Plot::offline_js_sources();
    let script = elements.split("<script type=\"text/javascript\">").nth(1).unwrap_or_default().trim_end();
    let packed = packed(script.strip_suffix("</script>").unwrap_or(script).as_bytes())?;
    Ok(PACKED.get_or_init(|| packed))
}

/// A plot in the page: its title, its choices and where it is drawn; its data as a table on demand.
pub(super) fn figure(plot: &Plot) -> String {
    let (id, title, about) = (escaped(&plot.id), escaped(&plot.title), prose(&plot.about));
    let wide =
        if matches!(plot.kind, super::plot::Kind::Racks | super::plot::Kind::Paths) { " wide" } else { "" };
    let choice = |(index, variant): (usize, &super::plot::Variant)| {
        format!("<option value=\"{index}\">{}</option>", escaped(&variant.name))
    };
    let shown = plot.variants.iter().enumerate().filter(|(_, variant)| variant.has_data());
    let choices: Vec<String> = shown.map(choice).collect();
    let select = if choices.len() > 1 {
        let choices: String = choices.concat();
        format!(
            "<label class=\"choice\"><span>Show</span> <select data-choice=\"{id}\">{choices}</select></label>"
        )
    } else {
        String::new()
    };
    format!(
        "<figure class=\"plot{wide}\" id=\"{id}\" aria-labelledby=\"{id}-title\">\
         <div class=\"head\"><h3 id=\"{id}-title\">{title}</h3>{select}</div>\
         <div class=\"area\" data-plot=\"{id}\"><p class=\"pending\">Being drawn…</p></div>\
         <figcaption>{about}</figcaption>\
         <details class=\"data\" data-table=\"{id}\"><summary>The same as a table</summary></details></figure>\n"
    )
}

/// Writes a page whose numbers come from `source`, with these sections (id, heading, content; empty ones are left out)
/// and plots, which cover so many seconds.
pub(super) fn write(
    title: &str,
    source: &str,
    sections: &[(&str, &str, String)],
    plots: &[&Plot],
    seconds: u32,
    out: &mut dyn Write,
) -> io::Result<()> {
    let sections = || sections.iter().filter(|(_, _, content)| !content.is_empty());
    let links: String =
        sections().map(|(id, heading, _)| format!("<a href=\"#{id}\">{heading}</a>")).collect();
    let title = escaped(title);
    let data = serde_json::to_vec(&json!({ "seconds": seconds, "plots": plots }))?;
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} – gigawatt</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the summary</a>\n\
         <header><div class=\"bar\"><p class=\"mark\">gigawatt</p><nav aria-label=\"Sections\">{links}</nav>\
         <label class=\"theme\"><span>Theme</span> <select id=\"theme\" aria-label=\"Theme\"><option value=\"\">as the system</option>\
         <option value=\"light\">light</option><option value=\"dark\">dark</option></select></label></div></header>\n\
         <main id=\"main\">\n<h1>{title}</h1>\n\
         <noscript><p class=\"warn\">Plots need JavaScript; every number below is here without it.</p></noscript>\n\
         <p class=\"warn\" id=\"trouble\" role=\"status\" hidden></p>\n"
    )?;
    for (id, heading, content) in sections() {
        let window = if *id == "time" { WINDOW } else { "" };
        writeln!(
            out,
            "<section id=\"{id}\" aria-labelledby=\"{id}-heading\"><h2 id=\"{id}-heading\">{heading}</h2>{window}\n\
             <div class=\"grid\">{content}</div></section>"
        )?;
    }
    let version = env!("CARGO_PKG_VERSION");
    write!(
        out,
        "</main>\n<footer><p>Made by gigawatt {version}. Plots by plotly.js (MIT). {source}</p></footer>\n\
         <script type=\"text/plain\" id=\"library\">{}</script>\n\
         <script type=\"text/plain\" id=\"data\">{}</script>\n<script>\n\"use strict\";\n{}</script>\n</body>\n</html>\n",
        library()?,
        packed(&data)?,
        SCRIPTS.concat(),
    )
}

/// The window of time that all plots over time share.
const WINDOW: &str = "<form class=\"window\" id=\"window\" aria-label=\"Window of time of all plots over time\">\
    <label>From <input id=\"from\" inputmode=\"decimal\" autocomplete=\"off\" size=\"7\"></label>\
    <label>to <input id=\"to\" inputmode=\"decimal\" autocomplete=\"off\" size=\"7\"></label> <span id=\"unit\"></span>\
    <button type=\"submit\">Show</button>\
    <span class=\"steps\"><button type=\"button\" data-step=\"earlier\" aria-label=\"Earlier\">←</button>\
    <button type=\"button\" data-step=\"closer\" aria-label=\"Closer\">+</button>\
    <button type=\"button\" data-step=\"wider\" aria-label=\"Wider\">−</button>\
    <button type=\"button\" data-step=\"later\" aria-label=\"Later\">→</button>\
    <button type=\"button\" data-step=\"all\">All</button></span></form>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_the_plotting_library_and_nothing_else() {
        let packed = STANDARD.decode(library().unwrap()).unwrap();
        let mut script = String::new();
        io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut script).unwrap();
        assert!(script.trim_start().starts_with("/**\n* plotly.js v"), "it begins with its licence");
        assert!(script.contains("Licensed under the MIT license"), "which is kept");
        assert!(!script.contains("MathJax=") && script.len() < 6_000_000, "no formulas");
    }
}
