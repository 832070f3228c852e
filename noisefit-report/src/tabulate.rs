//! Models side by side, as papers print them: estimates over their errors in brackets, a column for each model.

use noisefit_core::named;
use noisefit_core::record::{Coefficient, Fit};

use crate::text::{clean, significant, table};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// A table of Markdown, as GitHub and Pandoc read it.
    Markdown,
    /// A `tabular` of LaTeX, for a document with `booktabs`.
    Latex,
    /// A `table` of Typst.
    Typst,
    /// A `table` of HTML.
    Html,
}

named!(Format {
    Text = "text": "For a terminal",
    Markdown = "markdown": "For GitHub, Quarto, Pandoc",
    Latex = "latex": "A tabular, for a document with booktabs",
    Typst = "typst": "A table of Typst",
    Html = "html": "A table of HTML",
});

/// A model that is a column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tabulated {
    /// Its heading.
    pub name: String,
    /// Its coefficients, and those of a modelled scale with `log scale: ` before their terms.
    pub coefficients: Vec<Coefficient>,
    /// What stands at the foot: observations, noise, scale, ...
    pub facts: Vec<(&'static str, String)>,
}

impl Tabulated {
    /// A column of an exact fit, whose weights, if any, weigh its R2, too.
    pub fn of_fit(name: impl Into<String>, fit: &Fit, is_weighted: bool) -> Self {
        let r_squared = match (fit.location.intercept || fit.absorbed.is_some(), is_weighted) {
            (true, false) => "R2",
            (true, true) => "R2, weighted",
            (false, false) => "R2, about zero",
            (false, true) => "R2, about zero, weighted",
        };
        let scale = fit.scale.coefficients().iter();
        let scale = scale.map(|row| Coefficient { term: format!("log scale: {}", row.term), ..row.clone() });
        let number = |x: Option<f64>| x.map_or_else(String::new, |x| significant(x, 6));
        let likelihood = fit.likelihood;
        let absorbed = fit.absorbed.iter().flat_map(|absorbed| &absorbed.effects).map(|effect| effect.name.as_str());
        let facts = vec![
            ("Observations", fit.nobs.to_string()),
            ("Absorbed effects", absorbed.collect::<Vec<_>>().join(" + ")),
            ("Noise", fit.noise.to_string()),
            ("Scale", fit.scale.common().map_or_else(|| "modelled".to_owned(), |scale| significant(scale, 4))),
            ("Standard errors", fit.covariance.kind.as_str().to_owned()),
            (r_squared, fit.goodness.r_squared.map_or_else(String::new, |r| format!("{r:.4}"))),
            ("Log-likelihood", number(likelihood.map(|found| found.log_likelihood))),
            ("AIC", number(likelihood.map(|found| found.aic))),
            ("BIC", number(likelihood.map(|found| found.bic))),
        ];
        Tabulated { name: name.into(), coefficients: fit.location.rows.iter().cloned().chain(scale).collect(), facts }
    }
}

/// What is in a table and how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// How it is written.
    pub format: Format,
    /// Whether estimates have stars by their p-values: three below 0.001, two below 0.01, one below 0.05.
    pub stars: bool,
}

/// Characters of a cell, at most.
const CELL: usize = 60;

/// The rows of the table before they are written: the coefficients, each with a row of errors below, and the foot.
struct Cells {
    head: Vec<String>,
    coefficients: Vec<Vec<String>>,
    foot: Vec<Vec<String>>,
}

fn cells(models: &[Tabulated], stars: bool) -> Cells {
    let mut terms: Vec<&str> = Vec::new();
    for row in models.iter().flat_map(|model| &model.coefficients) {
        if !terms.contains(&row.term.as_str()) {
            terms.push(&row.term);
        }
    }
    // Those of the scale below those of the location.
    terms.sort_by_key(|term| term.starts_with("log scale: "));
    let mut coefficients = Vec::new();
    for term in terms {
        let (mut estimates, mut errors) = (vec![clean(term, CELL)], vec![String::new()]);
        for model in models {
            let row = model.coefficients.iter().find(|row| row.term == term);
            let marks = match row.and_then(|row| row.p_value).filter(|_| stars) {
                Some(p) if p < 0.001 => "***",
                Some(p) if p < 0.01 => "**",
                Some(p) if p < 0.05 => "*",
                _ => "",
            };
            estimates.push(match row {
                Some(row) => {
                    row.estimate.map_or_else(|| "aliased".to_owned(), |x| format!("{}{marks}", significant(x, 4)))
                }
                None => String::new(),
            });
            let error = row.and_then(|row| row.std_error);
            errors.push(error.map_or_else(String::new, |error| format!("({})", significant(error, 3))));
        }
        coefficients.push(estimates);
        if errors.iter().any(|error| !error.is_empty()) {
            coefficients.push(errors);
        }
    }
    let mut facts: Vec<&str> = Vec::new();
    for (name, _) in models.iter().flat_map(|model| &model.facts) {
        if !facts.contains(name) {
            facts.push(name);
        }
    }
    let foot = facts.into_iter().map(|name| {
        let value = |model: &Tabulated| {
            model
                .facts
                .iter()
                .find(|(known, _)| *known == name)
                .map_or_else(String::new, |(_, value)| clean(value, CELL))
        };
        std::iter::once(name.to_owned()).chain(models.iter().map(value)).collect::<Vec<String>>()
    });
    let foot = foot.filter(|row| row[1..].iter().any(|cell| !cell.is_empty())).collect();
    let head = std::iter::once(String::new()).chain(models.iter().map(|model| clean(&model.name, CELL))).collect();
    Cells { head, coefficients, foot }
}

const STARS: &str = "* p < 0.05, ** p < 0.01, *** p < 0.001";

/// The models side by side.
pub fn tabulate(models: &[Tabulated], options: Options) -> String {
    let cells = cells(models, options.stars);
    match options.format {
        Format::Text => text(&cells, options.stars),
        Format::Markdown => markdown(&cells, options.stars),
        Format::Latex => latex(&cells, options.stars),
        Format::Typst => typst(&cells, options.stars),
        Format::Html => html(&cells, options.stars),
    }
}

fn text(cells: &Cells, stars: bool) -> String {
    let head: Vec<&str> = cells.head.iter().map(String::as_str).collect();
    let gap = vec![vec![String::new(); head.len()]];
    let rows = [&cells.coefficients[..], &gap, &cells.foot].concat();
    let note = if stars { format!("\n{STARS}\n") } else { String::new() };
    table(&head, &rows) + &note
}

fn markdown(cells: &Cells, stars: bool) -> String {
    let line = |row: &Vec<String>| {
        format!("| {} |\n", row.iter().map(|cell| in_markdown(cell)).collect::<Vec<_>>().join(" | "))
    };
    let rule = format!("|:--|{}\n", "--:|".repeat(cells.head.len() - 1));
    let rows: String = cells.coefficients.iter().chain(&cells.foot).map(line).collect();
    let note = if stars { format!("\n{}\n", in_markdown(STARS)) } else { String::new() };
    format!("{}{rule}{rows}{note}", line(&cells.head))
}

pub(crate) fn in_markdown(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '$' | '!' | '^' | '@' | ':' | '=' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

fn latex(cells: &Cells, stars: bool) -> String {
    let line =
        |row: &Vec<String>| format!("{} \\\\\n", row.iter().map(|cell| in_latex(cell)).collect::<Vec<_>>().join(" & "));
    let rows = |rows: &[Vec<String>]| rows.iter().map(line).collect::<String>();
    let columns = cells.head.len();
    let note = match stars {
        true => format!("\\multicolumn{{{columns}}}{{l}}{{\\footnotesize {}}} \\\\\n", in_latex(STARS)),
        false => String::new(),
    };
    format!(
        "% \\usepackage{{booktabs}}\n\\begin{{tabular}}{{l{}}}\n\\toprule\n{}\\midrule\n{}\\midrule\n{}\\bottomrule\n{note}\\end{{tabular}}\n",
        "r".repeat(columns - 1),
        line(&cells.head),
        rows(&cells.coefficients),
        rows(&cells.foot)
    )
}

fn in_latex(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped += "\\textbackslash{}",
            '~' => escaped += "\\textasciitilde{}",
            '^' => escaped += "\\textasciicircum{}",
            '<' => escaped += "\\textless{}",
            '>' => escaped += "\\textgreater{}",
            '|' => escaped += "\\textbar{}",
            '"' => escaped += "\\textquotedbl{}",
            // A row that begins with a bracket would be read as the skip of the row before.
            '[' => escaped += "{[}",
            ']' => escaped += "{]}",
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    // The sign of a number.
    match escaped.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        Some(rest) => format!("$-${rest}"),
        None => escaped,
    }
}

fn typst(cells: &Cells, stars: bool) -> String {
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().map(|cell| format!("[{}]", in_typst(cell))).collect();
        format!("  {},\n", cells.join(", "))
    };
    let rows = |rows: &[Vec<String>]| rows.iter().map(line).collect::<String>();
    let columns = cells.head.len();
    let note = match stars {
        true => format!("  table.cell(colspan: {columns}, align: left)[{}],\n", in_typst(STARS)),
        false => String::new(),
    };
    format!(
        "#table(\n  columns: {columns},\n  align: (left,{}),\n  stroke: none,\n  table.hline(),\n  table.header(\n{}  ),\n  \
         table.hline(stroke: 0.5pt),\n{}  table.hline(stroke: 0.5pt),\n{}  table.hline(),\n{note})\n",
        " right,".repeat(columns - 1),
        line(&cells.head),
        rows(&cells.coefficients),
        rows(&cells.foot)
    )
}

fn in_typst(text: &str) -> String {
    // The sign of a number.
    let negative = text.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let mut escaped = if negative.is_some() { "\u{2212}".to_owned() } else { String::new() };
    let mut letters = negative.unwrap_or(text).chars().peekable();
    while let Some(c) = letters.next() {
        let plain = match c {
            '(' | ')' | ',' => true,
            // `1. x` would be an item of a list, and `...` one sign.
            '.' => letters.peek().is_some_and(char::is_ascii_alphanumeric),
            _ => !c.is_ascii_punctuation(),
        };
        if !plain {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn html(cells: &Cells, stars: bool) -> String {
    let cell =
        |tag: &str, text: &String| format!("<{tag}>{}</{}>", in_html(text), tag.split(' ').next().unwrap_or(tag));
    let head: String = cells.head.iter().map(|text| cell("th scope=\"col\"", text)).collect();
    let row = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(j, text)| cell(if j == 0 { "th scope=\"row\"" } else { "td" }, text));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows = |rows: &[Vec<String>]| rows.iter().map(row).collect::<String>();
    let note = match stars {
        true => format!("<tr><td colspan=\"{}\">{}</td></tr>\n", cells.head.len(), in_html(STARS)),
        false => String::new(),
    };
    format!(
        "<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{}</tbody>\n<tfoot>\n{}{note}</tfoot>\n</table>\n",
        rows(&cells.coefficients),
        rows(&cells.foot)
    )
}

fn in_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn model(term: &str) -> Tabulated {
        let row = Coefficient {
            std_error: Some(0.0144),
            p_value: Some(0.004),
            ..Coefficient::without_error(term.to_owned(), -0.4852)
        };
        Tabulated { name: "(1)".to_owned(), coefficients: vec![row], facts: vec![("Observations", "235".to_owned())] }
    }

    #[test]
    fn estimates_stand_over_their_errors() {
        let written = |format, stars| tabulate(&[model("income")], Options { format, stars });
        assert_eq!(
            written(Format::Markdown, true),
            "|  | (1) |\n|:--|--:|\n| income | -0.4852\\*\\* |\n|  | (0.0144) |\n| Observations | 235 |\n\n\
             \\* p &lt; 0.05, \\*\\* p &lt; 0.01, \\*\\*\\* p &lt; 0.001\n"
        );
        assert!(
            written(Format::Latex, false)
                .contains("income & $-$0.4852 \\\\\n & (0.0144) \\\\\n\\midrule\nObservations & 235")
        );
        assert!(written(Format::Html, false).contains("<th scope=\"row\">income</th><td>-0.4852</td>"));
        assert!(written(Format::Typst, false).contains("[income], [\u{2212}0.4852],\n  [], [(0.0144)],"));
    }

    /// What a hostile name could do is written so that it does nothing.
    #[test]
    fn names_do_not_break_out() {
        let hostile = "</table><script>alert(1)</script>|\\end{tabular}$#_%&~^{}[x]`*@\"'\n\u{202e}";
        let written = |format| tabulate(&[model(hostile)], Options { format, stars: false });
        assert!(!written(Format::Html).contains("<script>") && written(Format::Html).matches("</table>").count() == 1);
        assert!(!written(Format::Markdown).contains("<script>") && !written(Format::Markdown).contains("|\\end"));
        assert_eq!(written(Format::Markdown).lines().count(), 5);
        assert_eq!(written(Format::Latex).matches("\\end{tabular}").count(), 1);
        let typst = written(Format::Typst);
        assert!(!typst.contains("[</table>") && typst.contains("\\<script\\>") && typst.contains("\\[x\\]"));
        let long = tabulate(&[model(&"x".repeat(10_000))], Options { format: Format::Latex, stars: false });
        assert!(long.len() < 1000);
    }
}
