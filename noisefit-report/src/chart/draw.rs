//! The one file that knows which library draws: kuva, from one scene to SVG and to a terminal's characters.

use std::sync::Arc;

use kuva::backend::svg::SvgBackend;
use kuva::backend::terminal::TerminalBackend;
use kuva::plot::LinePlot;
use kuva::plot::band::BandPlot;
use kuva::plot::histogram::Histogram;
use kuva::plot::scatter::ScatterPlot;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, TextAnchor, render_multiple, render_twin_y};
use kuva::render::theme::Theme;

use crate::chart::legend::{Entry, entries, flow, lines, width_of};
use crate::chart::scale::{Along, Range};
use crate::chart::{Axis, Chart, Colour, Mark, Series};
use crate::text::{clean, significant};

/// Characters of an axis' label and of the name of a category, at most.
const LABEL: usize = 60;
const CATEGORY: usize = 26;

/// The height of one or two categories, which would else be a strip without a picture's proportions.
const FEWEST: f64 = 72.0;

/// How a chart becomes a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// In units of about a screen's pixel.
    pub width: f64,
    /// In the same; of a chart with categories what they need.
    pub height: f64,
    /// Whether the title is in it.
    pub title: bool,
    /// Whether points say their numbers.
    pub tooltips: bool,
    /// Whether it is on dark ground.
    pub dark: bool,
}

impl Default for Figure {
    fn default() -> Self {
        Figure { width: 640.0, height: 420.0, title: true, tooltips: true, dark: false }
    }
}

/// Sizes that follow from a figure's width.
struct Sizes {
    tick: u32,
    label: u32,
    title: u32,
    dot: f64,
    line: f64,
}

impl Sizes {
    fn of(figure: &Figure) -> Self {
        match figure.width < 450.0 {
            true => Sizes { tick: 11, label: 12, title: 14, dot: 2.0, line: 1.6 },
            false => Sizes { tick: 12, label: 13, title: 16, dot: 2.6, line: 2.0 },
        }
    }
}

impl Chart {
    /// The chart as a self-contained SVG document, with its title and caption for whoever reads it aloud. `name` begins what it
    /// names inside, so that several may stand on one page.
    pub fn svg(&self, figure: &Figure, name: &str) -> String {
        let scene = self.scene(figure);
        let (width, height) = (scene.width, scene.height);
        let drawn = SvgBackend::new().render_scene(&scene);
        let inside = drawn.split_once('>').map_or("", |(_, rest)| rest);
        let inside = renamed(inside, name);
        let words = escaped(&self.words());
        let (width, height) = (width.round(), height.round());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"system-ui, 'DejaVu Sans', Verdana, 'Liberation Sans', Arial, sans-serif\" fill=\"{}\" role=\"img\" \
             aria-label=\"{words}\">{inside}",
            if figure.dark { Colour::Ink.on_dark() } else { Colour::Ink.on_light() }
        )
    }

    /// The chart in so many characters, with colours where a terminal has them.
    pub fn terminal(&self, columns: usize, rows: usize, coloured: bool) -> String {
        let (columns, rows) = (columns.clamp(30, 400), rows.clamp(8, 200));
        // A character is about twice as high as wide; at eight units of width a label of 13 is a character high.
        let figure = Figure {
            width: 8.0 * columns as f64,
            height: 16.0 * rows as f64,
            title: true,
            tooltips: false,
            dark: true,
        };
        let text = TerminalBackend::new(columns, rows).render_scene(&self.scene(&figure));
        let text = if coloured { text } else { without_colours(&text) };
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn scene(&self, figure: &Figure) -> Scene {
        let sizes = Sizes::of(figure);
        let paint = |colour: Colour| if figure.dark { colour.on_dark() } else { colour.on_light() };
        let categories = self.y.categories.as_deref();
        let (narrow, width) = (figure.width < 450.0, figure.width);
        let entries = entries(self);
        let heads = Heads::new(self, figure, &sizes, &entries);
        let height = match categories {
            Some(names) => heads.height + 62.0 + (26.0 * names.len() as f64).max(FEWEST),
            None => figure.height.max(heads.height + 160.0),
        };
        let tick_size = f64::from(sizes.tick);
        let most = if narrow { 16 } else { CATEGORY };
        let names = categories.map(|names| names.iter().map(|name| clean(name, most)).collect::<Vec<String>>());
        let beside = names.iter().flatten().map(|name| width_of(name, tick_size)).fold(20.0, f64::max);
        let room = width - 60.0 - beside - if self.y2.is_some() { 80.0 } else { 0.0 };
        let x = Range::of(self, Along::X, room / if narrow { 50.0 } else { 84.0 });
        let plot_height = height - heads.height - 60.0;
        let y = Range::of(self, Along::Y, plot_height / 44.0);
        let second = self.y2.as_ref().map(|axis| (axis, Range::of(self, Along::SecondY, plot_height / 44.0)));
        let text = |label: &str| plain(&clean(label, LABEL));
        let mut layout = Layout::new((x.low, x.high), (y.low, y.high))
            .with_width(width)
            .with_height(height)
            .with_tick_size(sizes.tick)
            .with_label_size(sizes.label)
            .with_body_size(sizes.tick)
            .with_x_axis_min(x.low)
            .with_x_axis_max(x.high)
            .with_y_axis_min(y.low)
            .with_y_axis_max(y.high)
            .with_x_tick_step(x.step)
            .with_y_tick_step(y.step)
            .with_x_tick_format(format_of(x))
            .with_y_tick_format(format_of(y))
            .with_tick_length(4.0)
            .with_theme(theme(paint));
        let letters = |space: f64| ((space / (0.6 * f64::from(sizes.label))) as usize).max(8);
        if !self.x.label.is_empty() {
            layout = layout.with_x_label(text(&self.x.label)).with_x_label_wrap(letters(room));
        }
        if !self.y.label.is_empty() {
            layout = layout.with_y_label(text(&self.y.label)).with_y_label_wrap(letters(plot_height));
        }
        if let Some(names) = names {
            // Drawn from below.
            layout = layout.with_y_categories(names.iter().rev().map(|name| plain(name)).collect());
        }
        if self.y2.is_none() {
            // Room for the right half of a label at the end.
            let last = (x.high / x.step).floor() * x.step;
            layout.force_margin_right = Some((0.5 * width_of(&x.label(last), tick_size) + 2.0).max(12.0));
        }
        if let Some((axis, range)) = second {
            layout = layout
                .with_y2_range(range.low, range.high)
                .with_y2_axis_min(range.low)
                .with_y2_axis_max(range.high)
                .with_y2_tick_format(TickFormat::Custom(Arc::new(move |tick| range.label_of(tick))))
                .with_y2_label(text(&axis.label))
                .with_y2_label_wrap(letters(plot_height));
        }
        layout.force_margin_top = Some(heads.height);
        let frame = (x, y, second.map_or(y, |(_, range)| range));
        let count = categories.map_or(0, <[String]>::len);
        let plots = |on_second: bool| -> Vec<Plot> {
            let chosen = self.series.iter().filter(|series| series.on_second_axis == on_second);
            chosen.flat_map(|series| plot(self, series, figure, &sizes, frame, count)).collect()
        };
        let mut scene = match second {
            Some(_) => render_twin_y(plots(false), plots(true), layout),
            None => render_multiple(plots(false), layout),
        };
        heads.add_to(&mut scene, &sizes, paint);
        scene
    }
}

/// Several charts below and, where they are many, beside each other in one SVG document; one alone as it is.
pub fn sheet(charts: &[Chart], figure: &Figure) -> String {
    if let [chart] = charts {
        return chart.svg(figure, "chart");
    }
    let columns = match charts.len() {
        0..=3 => 1,
        4 => 2,
        _ => 3,
    };
    let mut inside = String::new();
    let (mut top, mut row_height) = (0.0, 0.0f64);
    for (k, chart) in charts.iter().enumerate() {
        if k % columns == 0 {
            top += row_height;
            row_height = 0.0;
        }
        let drawn = chart.svg(figure, &format!("chart-{k}"));
        let height = attribute(&drawn, "height").unwrap_or(figure.height);
        row_height = row_height.max(height);
        let place = format!("<svg x=\"{}\" y=\"{top}\"", (k % columns) as f64 * figure.width);
        inside += &drawn.replacen("<svg", &place, 1);
    }
    let (width, height) = (columns as f64 * figure.width, top + row_height);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">{inside}</svg>"
    )
}

/// A number of the outermost element.
fn attribute(svg: &str, name: &str) -> Option<f64> {
    let (_, after) = svg.split_once(&format!(" {name}=\""))?;
    after.split('"').next()?.parse().ok()
}

/// Title and legend above a chart.
struct Heads {
    title: Vec<String>,
    entries: Vec<Entry>,
    places: Vec<(usize, f64)>,
    height: f64,
}

/// What a legend's mark takes, and what is between entries.
const SWATCH: f64 = 26.0;
const GAP: f64 = 16.0;

impl Heads {
    fn new(chart: &Chart, figure: &Figure, sizes: &Sizes, entries: &[Entry]) -> Self {
        let room = figure.width - 20.0;
        let (title_size, size) = (f64::from(sizes.title), f64::from(sizes.tick));
        let title = if figure.title { lines(&clean(&chart.title, 160), title_size, room) } else { Vec::new() };
        let widths: Vec<f64> = entries.iter().map(|entry| SWATCH + width_of(&entry.name, size)).collect();
        let (places, count) = flow(&widths, GAP, room);
        let height = 12.0 + title.len() as f64 * (title_size + 5.0) + count as f64 * (size + 7.0);
        Heads { title, entries: entries.to_vec(), places, height }
    }

    fn add_to(&self, scene: &mut Scene, sizes: &Sizes, paint: impl Fn(Colour) -> &'static str) {
        let (title_size, size) = (f64::from(sizes.title), f64::from(sizes.tick));
        let text = |x: f64, y: f64, content: &str, size: u32, bold: bool| Primitive::Text {
            x,
            y,
            content: plain(content),
            size,
            anchor: TextAnchor::Start,
            rotate: None,
            bold,
            color: None,
        };
        let mut top = 6.0;
        for line in &self.title {
            scene.elements.push(text(10.0, top + title_size, line, sizes.title, true));
            top += title_size + 5.0;
        }
        for (entry, &(line, place)) in self.entries.iter().zip(&self.places) {
            let (x, middle) = (10.0 + place, top + line as f64 * (size + 7.0) + 0.5 * size + 1.0);
            let colour = paint(entry.colour);
            let rect = |y: f64, height: f64, opacity: f64| Primitive::Rect {
                x,
                y,
                width: 20.0,
                height,
                fill: colour.into(),
                stroke: None,
                stroke_width: None,
                opacity: Some(opacity),
            };
            let line = |dash: Option<&str>| Primitive::Line {
                x1: x,
                y1: middle,
                x2: x + 20.0,
                y2: middle,
                stroke: colour.into(),
                stroke_width: sizes.line,
                stroke_dasharray: dash.map(str::to_owned),
            };
            let dot = Primitive::Circle {
                cx: x + 10.0,
                cy: middle,
                r: sizes.dot + 0.6,
                fill: colour.into(),
                fill_opacity: None,
                stroke: None,
                stroke_width: None,
            };
            match entry.mark {
                Mark::Points => scene.elements.push(dot),
                Mark::Intervals => scene.elements.extend([line(None), dot]),
                Mark::Line => scene.elements.push(line(None)),
                Mark::Dashed | Mark::Vertical | Mark::Horizontal => scene.elements.push(line(Some("6 4"))),
                Mark::Dotted => scene.elements.push(line(Some("2 3"))),
                Mark::Band => scene.elements.push(rect(middle - 5.0, 10.0, BAND)),
                Mark::Bars => scene.elements.push(rect(middle - 5.0, 10.0, 0.45)),
            }
            scene.elements.push(text(x + SWATCH, middle + 0.36 * size, &entry.name, sizes.tick, false));
        }
    }
}

/// How much of what is behind a band is hidden.
const BAND: f64 = 0.18;

/// A band as far as an axis goes, which may end before it: rows of where it is, its low end and its high end.
fn within(rows: &[(f64, f64, f64)], axis: Range) -> Vec<(f64, f64, f64)> {
    let inside = |y: f64| y.clamp(axis.low, axis.high);
    let mut cut = Vec::with_capacity(rows.len());
    for (k, &row) in rows.iter().enumerate() {
        if let Some(&before) = k.checked_sub(1).and_then(|k| rows.get(k)) {
            // Where an edge leaves the picture or comes back between two rows.
            let crossing = |from: f64, to: f64, at: f64| {
                let part = (at - from) / (to - from);
                (part > 0.0 && part < 1.0).then_some(part)
            };
            let edges = [(before.1, row.1), (before.2, row.2)];
            let mut parts: Vec<f64> =
                edges.iter().flat_map(|&(a, b)| [axis.low, axis.high].map(|at| crossing(a, b, at))).flatten().collect();
            parts.sort_by(f64::total_cmp);
            let at = |part: f64, a: f64, b: f64| a + part * (b - a);
            cut.extend(parts.into_iter().map(|part| {
                let [low, high] = edges.map(|(a, b)| inside(at(part, a, b)));
                (at(part, before.0, row.0), low, high)
            }));
        }
        cut.push((row.0, inside(row.1), inside(row.2)));
    }
    cut
}

/// The plots of a series.
fn plot(
    chart: &Chart,
    series: &Series,
    figure: &Figure,
    sizes: &Sizes,
    (x, y, second): (Range, Range, Range),
    categories: usize,
) -> Vec<Plot> {
    let colour = if figure.dark { series.colour.on_dark() } else { series.colour.on_light() };
    let pairs = |a: usize, b: usize| -> Vec<(f64, f64)> {
        let pairs = series.values(a).iter().copied().zip(series.values(b).iter().copied());
        pairs.filter(|(a, b)| a.is_finite() && b.is_finite()).collect()
    };
    let line =
        |points: Vec<(f64, f64)>| LinePlot::new().with_data(points).with_color(colour).with_stroke_width(sizes.line);
    let upright = if series.on_second_axis { second } else { y };
    match series.mark {
        Mark::Points => {
            let points = pairs(0, 1);
            let opacity = if points.len() > 150 { 0.55 } else { 0.8 };
            let mut plot = ScatterPlot::new().with_color(colour).with_size(sizes.dot).with_marker_opacity(opacity);
            if figure.tooltips {
                plot = plot.with_tooltips().with_tooltip_labels(tooltips(chart, series));
            }
            vec![Plot::Scatter(plot.with_data(points))]
        }
        Mark::Intervals => intervals(chart, series, figure, sizes, (x, categories), colour),
        Mark::Line => vec![Plot::Line(line(pairs(0, 1)))],
        Mark::Dashed => vec![Plot::Line(line(pairs(0, 1)).with_dashed())],
        Mark::Dotted => vec![Plot::Line(line(pairs(0, 1)).with_dotted())],
        Mark::Band => {
            let rows = series.values(0).iter().zip(series.values(1)).zip(series.values(2));
            let rows = rows.map(|((x, low), high)| (*x, *low, *high));
            let rows: Vec<_> = rows.filter(|(x, low, high)| (x + low + high).is_finite()).collect();
            let rows = within(&rows, upright);
            let column = |of: fn(&(f64, f64, f64)) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
            let band = BandPlot::new(column(|row| row.0), column(|row| row.1), column(|row| row.2));
            vec![Plot::Band(band.with_color(colour).with_opacity(BAND))]
        }
        Mark::Bars => bars(series, figure),
        Mark::Vertical | Mark::Horizontal => {
            let across = |at: f64| match series.mark {
                Mark::Vertical => vec![(at, upright.low), (at, upright.high)],
                _ => vec![(x.low, at), (x.high, at)],
            };
            let lines = series.values(0).iter().filter(|at| at.is_finite());
            lines.map(|&at| Plot::Line(line(across(at)).with_stroke_width(1.4).with_dashed())).collect()
        }
    }
}

/// A histogram's bars of any widths.
fn bars(series: &Series, figure: &Figure) -> Vec<Plot> {
    let (from, to, heights) = (series.values(0), series.values(1), series.values(2));
    let mut edges = from.to_vec();
    edges.extend(to.last());
    if edges.len() < 2 {
        return Vec::new();
    }
    let mut plot = Histogram::from_bins(edges, heights.to_vec()).with_color(series.colour.of_bars(figure.dark));
    if figure.tooltips {
        let text = |((from, to), height): ((&f64, &f64), &f64)| {
            format!("{} to {}: {}", significant(*from, 4), significant(*to, 4), significant(*height, 4))
        };
        plot = plot.with_tooltips().with_tooltip_labels(from.iter().zip(to).zip(heights).map(text));
    }
    vec![Plot::Histogram(plot)]
}

/// Estimates with their intervals, a category each, from the top down.
fn intervals(
    chart: &Chart,
    series: &Series,
    figure: &Figure,
    sizes: &Sizes,
    (x, categories): (Range, usize),
    colour: &str,
) -> Vec<Plot> {
    let mut plots = Vec::new();
    let (mut points, mut texts) = (Vec::new(), Vec::new());
    for i in 0..series.len() {
        let at = |column: usize| series.values(column).get(i).copied().unwrap_or(f64::NAN);
        let [estimate, category, low, high] = [at(0), at(1), at(2), at(3)];
        let height = categories as f64 + 1.0 - category;
        if low.is_finite() && high.is_finite() {
            let ends = [low.clamp(x.low, x.high), high.clamp(x.low, x.high)].map(|end| (end, height));
            let line = LinePlot::new().with_data(ends).with_color(colour).with_stroke_width(sizes.line);
            plots.push(Plot::Line(line));
        }
        if estimate.is_finite() {
            points.push((estimate, height));
            texts.push(interval_words(chart, [estimate, category, low, high]));
        }
    }
    let mut scatter = ScatterPlot::new().with_color(colour).with_size(sizes.dot + 1.4);
    if figure.tooltips {
        scatter = scatter.with_tooltips().with_tooltip_labels(texts);
    }
    plots.push(Plot::Scatter(scatter.with_data(points)));
    plots
}

fn interval_words(chart: &Chart, [estimate, category, low, high]: [f64; 4]) -> String {
    let names = chart.y.categories.as_deref().unwrap_or(&[]);
    let name = names.get((category.round() as usize).wrapping_sub(1)).map_or("", String::as_str);
    let ends = match low.is_finite() && high.is_finite() {
        true => format!(" ({} to {})", significant(low, 4), significant(high, 4)),
        false => String::new(),
    };
    format!("{}: {}{ends}", clean(name, LABEL), significant(estimate, 5))
}

/// What each point that is drawn says.
fn tooltips(chart: &Chart, series: &Series) -> Vec<String> {
    let (x, y) = (series.values(0), series.values(1));
    let name = |axis: &Axis| clean(&axis.label, LABEL);
    let (x_name, y_name) = (name(&chart.x), name(&chart.y));
    let finite = (0..x.len().min(y.len())).filter(|&i| x[i].is_finite() && y[i].is_finite());
    let text = |i: usize| {
        let row = series.columns.get(2).filter(|column| column.name == "row").and_then(|column| column.values.get(i));
        let row = row.map_or_else(String::new, |row| format!("row {row}: "));
        format!("{row}{x_name} {}, {y_name} {}", significant(x[i], 5), significant(y[i], 5))
    };
    finite.map(text).collect()
}

fn format_of(range: Range) -> TickFormat {
    TickFormat::Custom(Arc::new(move |tick| range.label(tick)))
}

fn theme(paint: impl Fn(Colour) -> &'static str) -> Theme {
    let of = |colour: Colour| paint(colour).to_owned();
    Theme {
        background: of(Colour::Ground),
        axis_color: of(Colour::Grey),
        grid_color: of(Colour::Grid),
        tick_color: of(Colour::Grey),
        text_color: of(Colour::Ink),
        legend_bg: of(Colour::Ground),
        legend_border: of(Colour::Grid),
        show_grid: true,
        ..Theme::light()
    }
}

/// A label in which the library is to see no mathematics.
fn plain(text: &str) -> String {
    text.replace('$', "\\$")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Gives what the library numbers over the life of a process names that are the same in every run.
fn renamed(svg: &str, name: &str) -> String {
    const GIVEN: &str = "kuva-clip-";
    let mut parts = svg.split(GIVEN);
    let mut text = parts.next().unwrap_or("").to_owned();
    let mut seen: Vec<&str> = Vec::new();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let number = seen.iter().position(|known| *known == &part[..end]).unwrap_or_else(|| {
            seen.push(&part[..end]);
            seen.len() - 1
        });
        text += &format!("{name}-clip-{number}{}", &part[end..]);
    }
    text
}

/// Leaves out the sequences by which terminals change colours.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain += before;
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}
