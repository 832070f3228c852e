//! A page that a colleague can be sent: one HTML file with its charts, its data and its style, which asks nothing of a network.

use serde::Serialize;

use crate::chart::{Chart, Colour, Figure};
use crate::text::clean;

/// A report.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// What was fitted: the formula.
    pub title: String,
    /// What was asked: the model and its data in a line.
    pub asked: String,
    /// What came of it, in sentences.
    pub verdict: Vec<String>,
    /// The rest.
    pub sections: Vec<Section>,
}

/// A part of a page under a heading of its own.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Text before everything else.
    pub paragraphs: Vec<String>,
    /// Findings, one below the other.
    pub found: Vec<String>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Charts.
    pub charts: Vec<Chart>,
    /// Charts that are drawn small, several beside each other.
    pub small_charts: Vec<Chart>,
    /// HTML that this crate made, such as a derivation.
    pub html: String,
}

/// A table of texts.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What is in it.
    pub caption: String,
    /// The names of the columns.
    pub head: Vec<String>,
    /// The rows; the first cell names the row.
    pub rows: Vec<Vec<String>>,
}

impl Section {
    /// An empty section.
    pub fn new(title: impl Into<String>) -> Self {
        Section { title: title.into(), ..Section::default() }
    }

    fn is_empty(&self) -> bool {
        self.paragraphs.is_empty()
            && self.found.is_empty()
            && self.tables.is_empty()
            && self.charts.is_empty()
            && self.small_charts.is_empty()
            && self.html.is_empty()
    }
}

/// Characters of a text in the page, and of a cell, at most.
const LONGEST: usize = 1200;
const CELL: usize = 80;

const WIDE: Figure = Figure { width: 560.0, height: 380.0, title: false, tooltips: true, dark: false };
// As wide as the narrowest screens leave, so that letters are not made smaller there.
const NARROW: Figure = Figure { width: 290.0, height: 265.0, title: false, tooltips: false, dark: false };
// The label of the second axis needs room, too.
const NARROW_OF_TWO_AXES: Figure = Figure { width: 330.0, height: 290.0, ..NARROW };
const SMALL: Figure = Figure { width: 300.0, height: 235.0, title: false, tooltips: true, dark: false };

/// What the page holds for programs: the record as `--format json` prints it, and every chart's data.
#[derive(Serialize)]
struct Held<'a, R: Serialize> {
    record: R,
    charts: Vec<&'a Chart>,
}

impl Page {
    /// The page as HTML; `record` is what the same work says as JSON.
    ///
    /// # Errors
    /// What serde reports of the record.
    pub fn html(&self, record: impl Serialize) -> Result<String, serde_json::Error> {
        let sections: Vec<&Section> = self.sections.iter().filter(|section| !section.is_empty()).collect();
        let charts = sections.iter().flat_map(|section| section.charts.iter().chain(&section.small_charts)).collect();
        let held = serde_json::to_string(&Held { record, charts })?;
        let title = escaped(&clean(&self.title, 120));
        let mut body = String::new();
        let mut number = 0;
        for (k, section) in sections.iter().enumerate() {
            body += &section_html(section, k, &mut number);
        }
        let links: String = sections
            .iter()
            .enumerate()
            .map(|(k, section)| format!("<li><a href=\"#section-{k}\">{}</a></li>", escaped(&section.title)))
            .collect();
        let verdict: String = self.verdict.iter().map(|sentence| paragraph(sentence)).collect();
        Ok(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
             <title>{title} - noisefit</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{}{}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">To the report</a>\n<header>\n<h1>{title}</h1>\n<p class=\"asked\">{}</p>\n\
             <div class=\"verdict\">{verdict}</div>\n<nav aria-label=\"Sections\"><ul>{links}</ul></nav>\n</header>\n\
             <main id=\"main\">\n{body}</main>\n<footer><p>Made by noisefit {}. Every number that is drawn stands in this file, \
             which asks nothing of a network.</p></footer>\n<div id=\"tip\" role=\"tooltip\" hidden></div>\n\
             <script type=\"application/json\" id=\"noisefit-data\">{}</script>\n<script>\n{}</script>\n</body>\n</html>\n",
            include_str!("style.css"),
            on_dark(),
            escaped(&clean(&self.asked, LONGEST)),
            env!("CARGO_PKG_VERSION"),
            in_script(&held),
            include_str!("script.js"),
        ))
    }
}

/// Text as it was printed, in lines that are not endless.
pub fn preformatted(text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("{}\n", escaped(&clean(line, 240)))).collect();
    format!("<pre tabindex=\"0\">{lines}</pre>\n")
}

/// JSON within a page: nothing in it ends the element, begins a comment or turns the direction of what follows.
fn in_script(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                text += &format!("\\u{:04x}", c as u32);
            }
            _ => text.push(c),
        }
    }
    text
}

fn section_html(section: &Section, k: usize, number: &mut usize) -> String {
    let mut text =
        format!("<section aria-labelledby=\"section-{k}\">\n<h2 id=\"section-{k}\">{}</h2>\n", escaped(&section.title));
    text.extend(section.paragraphs.iter().map(|sentence| paragraph(sentence)));
    if !section.found.is_empty() {
        let found = section.found.iter().map(|found| format!("<li>{}</li>\n", escaped(&clean(found, LONGEST))));
        text += &format!("<ul class=\"found\">\n{}</ul>\n", found.collect::<String>());
    }
    text.extend(section.tables.iter().map(table_html));
    for (charts, small) in [(&section.charts, false), (&section.small_charts, true)] {
        if charts.is_empty() {
            continue;
        }
        text += if small { "<div class=\"charts small\">\n" } else { "<div class=\"charts\">\n" };
        for chart in charts {
            text += &chart_html(chart, *number, small);
            *number += 1;
        }
        text += "</div>\n";
    }
    text += &section.html;
    text + "</section>\n"
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escaped(&clean(text, LONGEST)))
}

fn table_html(table: &Table) -> String {
    let cell = |text: &String| escaped(&clean(text, CELL));
    let head: String = table.head.iter().map(|name| format!("<th scope=\"col\">{}</th>", cell(name))).collect();
    let row = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(j, text)| match j {
            0 => format!("<th scope=\"row\">{}</th>", cell(text)),
            _ => format!("<td>{}</td>", cell(text)),
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let caption = escaped(&clean(&table.caption, 200));
    format!(
        "<div class=\"scroll whole\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table><caption><span>{caption}</span></caption>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
        table.rows.iter().map(row).collect::<String>()
    )
}

fn chart_html(chart: &Chart, number: usize, small: bool) -> String {
    let narrow = if chart.y2.is_some() { &NARROW_OF_TWO_AXES } else { &NARROW };
    let drawn = match small {
        true => format!("<div class=\"only\">{}</div>", chart.svg(&SMALL, &format!("chart-{number}-small"))),
        false => format!(
            "<div class=\"wide\">{}</div><div class=\"narrow\">{}</div>",
            chart.svg(&WIDE, &format!("chart-{number}-wide")),
            chart.svg(narrow, &format!("chart-{number}-narrow"))
        ),
    };
    let note = chart.note.as_ref().map_or_else(String::new, |note| format!(" {note}"));
    let title = escaped(&clean(&chart.title, 160));
    format!(
        "<figure data-kind=\"{}\">\n<figcaption><h3>{title}</h3>{}</figcaption>\n{drawn}\n<details class=\"data\" \
         data-chart=\"{number}\"><summary>Data<span hidden> of {title}</span></summary><div></div></details>\n</figure>\n",
        chart.kind,
        paragraph(&format!("{}{note}", chart.caption)),
    )
}

/// Rules that paint charts otherwise on dark ground: by the colours that they have on light ground.
fn on_dark() -> String {
    let mut rules = String::from("@media screen and (prefers-color-scheme: dark) {\n");
    let mut rule = |light: &str, dark: &str| {
        rules += &format!("  figure svg[fill=\"{light}\"], figure svg [fill=\"{light}\"] {{ fill: {dark}; }}\n");
        rules += &format!("  figure svg [stroke=\"{light}\"] {{ stroke: {dark}; }}\n");
    };
    for colour in Colour::ALL {
        rule(colour.on_light(), colour.on_dark());
        rule(&colour.of_bars(false), &colour.of_bars(true));
    }
    rules + "}\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
