//! Reports: one HTML file with the verdict, the tables, the charts and the derivation.

use noisefit_core::compare::{Comparison, Entry};
use noisefit_core::record::{Coefficient, Fit};
use noisefit_core::wording::{Sentence, Wording};
use noisefit_data::model::FittedModel;
use noisefit_report::chart::{Chart, Kind};
use noisefit_report::compare::verdict;
use noisefit_report::diagnose::nothing_found;
use noisefit_report::page::{Page, Section, Table as PageTable, preformatted};
use noisefit_report::text::{count_of, optional, p_value, percent, significant};

use crate::chart::ChartOptions;
use crate::compare::Compared;
use crate::diagnose::Diagnosed;
use crate::error::Error;
use crate::explain::Explained;
use crate::fitted::{Fitted, Origin};
use crate::profile::Profiled;
use crate::table::Table;
use crate::with_sampling::WithSampling;

impl Fitted {
    /// The report of the model over the table that it was fitted to, or one that is given: an HTML file that needs no other, with
    /// its charts, their data and the record of [`Fitted::record`].
    ///
    /// ```
    /// use noisefit::{ChartOptions, InRust, Model, Table};
    ///
    /// let fitted = Model::new("foodexp ~ income").fit(&Table::open("../testdata/engel.csv")?)?;
    /// let page = fitted.report(None, &ChartOptions::default(), &InRust)?;
    /// assert!(page.starts_with("<!doctype html>") && page.contains("data-kind=\"residuals\""));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoTable`] after loading without a table; those of reading.
    pub fn report(
        &self,
        table: Option<&Table>,
        options: &ChartOptions,
        wording: &dyn Wording,
    ) -> Result<String, Error> {
        self.without_effects("report")?;
        self.without_sampling(WithSampling::Verb("report"))?;
        let (diagnosed, charts) = self.looked_at_and_drawn(self.table_or(table)?, &[], options)?;
        let page = self.page(&charts, diagnosed.as_ref(), self.verdict(), wording)?;
        Ok(page.html(self.record(false, wording))?)
    }

    /// The page without what a comparison adds; `verdict` is that of one.
    fn page(
        &self,
        charts: &[Chart],
        diagnosed: Option<&Diagnosed>,
        verdict: Option<String>,
        wording: &dyn Wording,
    ) -> Result<Page, Error> {
        let design = &self.model.design;
        let worded =
            |all: Vec<Sentence>| all.iter().map(|said| sentence(&said.worded(wording))).collect::<Vec<String>>();
        let advice = diagnosed.map(|diagnosed| worded(diagnosed.advice()));
        let of =
            |kinds: &[Kind]| charts.iter().filter(|chart| kinds.contains(&chart.kind)).cloned().collect::<Vec<Chart>>();
        let summary = self.summary();
        let asked = summary.lines().skip(1).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
        let mut sentences: Vec<String> = verdict.into_iter().collect();
        if sentences.is_empty() {
            sentences.extend(self.fits().first().map(|fit| found(fit, self.fits().len(), &design.layout().response)));
        }
        match advice.as_deref() {
            Some([]) => sentences.extend(self.fits().first().map(|fit| sentence(nothing_found(fit.df_residual)))),
            Some(all) => sentences.extend(all.iter().take(2).cloned()),
            None => {}
        }
        let warnings = worded(self.warnings().into_iter().map(Sentence::from).collect());
        sentences.extend(warnings.iter().cloned());
        sentences.truncate(3);
        let coefficients = Section {
            tables: self.fits().iter().flat_map(|fit| tables_of(fit, self.fits().len() > 1)).collect(),
            charts: of(&[Kind::Coefficients]),
            ..Section::new("Coefficients")
        };
        let findings =
            Section { found: [advice.unwrap_or_default(), warnings].concat(), ..Section::new("What to heed") };
        let sections = vec![
            coefficients,
            findings,
            Section { charts: of(&[Kind::Loss, Kind::Traces]), ..Section::new("Training") },
            Section { charts: of(&[Kind::Data, Kind::Observed]), ..Section::new("Fit") },
            Section { small_charts: of(&[Kind::Partial]), ..Section::new("Regressors") },
            Section { charts: of(&[Kind::Residuals, Kind::ScaleLocation, Kind::Leverage]), ..Section::new("Residuals") },
            Section {
                charts: of(&[Kind::Quantiles, Kind::Histogram, Kind::Pit, Kind::Calibration]),
                ..Section::new("The noise")
            },
            Section {
                paragraphs: vec![
                    "From the density of the noise to the loss, the estimator and the scale; in colour with the numbers of this fit."
                        .to_owned(),
                ],
                html: self.explain(Explained::Html)?,
                ..Section::new("Derivation")
            },
            Section { html: preformatted(&summary), ..Section::new("As printed") },
        ];
        Ok(Page { title: design.formula().text().to_owned(), asked, verdict: sentences, sections })
    }
}

impl Diagnosed {
    /// The same fit with its table, to be used in other ways.
    pub fn fitted(&self) -> Fitted {
        let (design, counts, table, notes) = self.parts();
        let model = FittedModel::new(design.clone(), vec![self.fit().clone()]);
        Fitted::new(model, table, counts, Origin::Exact { chosen_by: None }).with_notes(notes.to_vec())
    }

    /// The report of the fit that was looked at, with the record of [`Diagnosed::record`].
    ///
    /// # Errors
    /// Those of reading.
    pub fn report(&self, options: &ChartOptions, wording: &dyn Wording) -> Result<String, Error> {
        let fitted = self.fitted();
        let mut page = fitted.page(&fitted.charts(None, options)?, Some(self), None, wording)?;
        page.sections.push(Section {
            html: preformatted(&self.summary_in(wording)),
            ..Section::new("The diagnosis as printed")
        });
        Ok(page.html(self.record(wording))?)
    }
}

impl Compared {
    /// The report of the comparison and of the model that is preferred, with the record of [`Compared::record`]; `next` is what
    /// whoever reads this does to fit it.
    ///
    /// # Errors
    /// Those of reading and of the fit.
    pub fn report(&self, next: Option<&str>, options: &ChartOptions, wording: &dyn Wording) -> Result<String, Error> {
        let (comparison, verdict) = (self.comparison(), verdict(self.comparison()));
        let charts = self.charts(options)?;
        let of =
            |kinds: &[Kind]| charts.iter().filter(|chart| kinds.contains(&chart.kind)).cloned().collect::<Vec<Chart>>();
        let lines = of(&[Kind::Lines]);
        let (all, each) = lines.split_at(lines.len().min(1));
        let models = Section {
            paragraphs: vec![verdict.clone()],
            found: self.warnings().iter().map(|warning| sentence(&warning.worded(wording))).collect(),
            tables: vec![table_of_models(comparison)],
            charts: [of(&[Kind::Aic, Kind::LogScore]), all.to_vec()].concat(),
            small_charts: each.to_vec(),
            ..Section::new("Noise models")
        };
        let mut page = match self.fit()? {
            Some(fitted) => {
                let others: Vec<&Fit> = comparison.fits().collect();
                let (diagnosed, charts) = fitted.looked_at_and_drawn(self.table(), &others, options)?;
                let page = fitted.page(&charts, diagnosed.as_ref(), Some(verdict), wording)?;
                let asked = format!(
                    "{} compared; below: {}",
                    count_of(comparison.models.len() as u64, "noise model"),
                    page.asked
                );
                Page { asked, ..page }
            }
            None => Page {
                title: self.design().formula().text().to_owned(),
                asked: count_of(comparison.models.len() as u64, "noise model"),
                verdict: vec![verdict],
                sections: Vec::new(),
            },
        };
        page.sections.insert(0, models);
        let printed = self.summary(next, false, wording);
        page.sections.push(Section { html: preformatted(&printed), ..Section::new("The comparison as printed") });
        Ok(page.html(self.record(next, false, wording))?)
    }
}

impl Profiled {
    /// The report of the curve, with the record of [`Profiled::record`].
    ///
    /// # Errors
    /// A record that cannot be written.
    pub fn report(&self, wording: &dyn Wording) -> Result<String, Error> {
        let summary = self.summary();
        let fit = self.fit();
        let (low, high) = self.interval();
        let curve = self.curve();
        let ends = match (low, high) {
            (Some(low), Some(high)) => format!("from {} to {}", significant(low, 6), significant(high, 6)),
            (Some(low), None) => format!("from {} without an upper end", significant(low, 6)),
            (None, Some(high)) => format!("to {} without a lower end", significant(high, 6)),
            (None, None) => "without ends".to_owned(),
        };
        let mut verdict = vec![
            format!("The coefficient of {} is {}.", curve.term, significant(curve.estimate, 6)),
            format!("Its {} interval by profile likelihood goes {ends}.", percent(fit.level)),
        ];
        verdict.extend(self.warnings().iter().take(1).map(|warning| sentence(&warning.worded(wording))));
        let page = Page {
            title: format!("{}: the coefficient of {}", self.formula(), curve.term),
            asked: format!("{}, {}", fit.noise.noun(), count_of(fit.nobs, "observation")),
            verdict,
            sections: vec![
                Section { charts: self.charts(), ..Section::new("Likelihood and loss") },
                Section { tables: tables_of(fit, false), ..Section::new("Coefficients") },
                Section { html: preformatted(&summary), ..Section::new("As printed") },
            ],
        };
        Ok(page.html(self.record(wording))?)
    }
}

/// What a fit came to, in a sentence.
fn found(fit: &Fit, fits: usize, response: &str) -> String {
    if fits > 1 {
        return format!("{} of {response}, each fitted by itself.", count_of(fits as u64, "quantile"));
    }
    let scale = match fit.scale.common() {
        Some(scale) => format!("a noise scale of {}", significant(scale, 4)),
        None => "a noise scale that varies from row to row".to_owned(),
    };
    let explained = fit.goodness.r_squared.map_or_else(String::new, |r| format!("R2 is {r:.3}, and "));
    let likelihood =
        fit.log_likelihood().map_or_else(String::new, |l| format!("; the log-likelihood is {}", significant(l, 7)));
    let text = format!("{explained}{} remains with {scale}{likelihood}.", fit.noise.noun());
    sentence(&text)
}

/// A text that begins with a capital and ends with a point. A term or a path at its beginning stays as it is.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let word = text.split_whitespace().next().unwrap_or("");
    let plain = word.chars().all(char::is_alphabetic);
    let mut letters = text.chars();
    let text = match letters.next() {
        Some(first) if plain => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    };
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

/// The tables of a fit: location, modelled scale, and what else there is to say.
fn tables_of(fit: &Fit, of_several: bool) -> Vec<PageTable> {
    let of = if of_several { format!(" of {}", fit.noise) } else { String::new() };
    let table = |caption: String, rows: &[Coefficient]| PageTable {
        caption,
        head: ["term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
            .map(str::to_owned)
            .into(),
        rows: rows.iter().map(cells).collect(),
    };
    let level = percent(fit.level);
    let mut tables = vec![table(format!("Coefficients{of}, {level} intervals"), &fit.location.rows)];
    if let Some(scale) = fit.scale.modelled() {
        tables.push(table(format!("Coefficients of the log scale{of}, {level} intervals"), &scale.rows));
    }
    let mut facts: Vec<(&str, String)> = vec![("observations", fit.nobs.to_string()), ("noise", fit.noise.to_string())];
    facts.extend(fit.scale.common().map(|scale| ("noise scale", significant(scale, 6))));
    facts.extend(fit.goodness.residual_std_error.map(|error| ("residual std. error", significant(error, 6))));
    facts.extend(fit.goodness.r_squared.map(|r| ("R2", significant(r, 5))));
    facts.push(("RMSE", significant(fit.goodness.rmse, 6)));
    if let Some(found) = fit.likelihood {
        facts.push(("log-likelihood", significant(found.log_likelihood, 7)));
        facts.push(("AIC", significant(found.aic, 7)));
        facts.push(("BIC", significant(found.bic, 7)));
    }
    facts.push(("standard errors", fit.covariance.kind.as_str().to_owned()));
    tables.push(PageTable {
        caption: format!("The fit{of}"),
        head: vec![String::from("measure"), "value".to_owned()],
        rows: facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect(),
    });
    tables
}

fn cells(row: &Coefficient) -> Vec<String> {
    vec![
        row.term.clone(),
        row.estimate.map_or_else(|| "aliased".to_owned(), |estimate| significant(estimate, 7)),
        optional(row.std_error, 5),
        optional(row.statistic, 4),
        p_value(row.p_value),
        optional(row.conf_low, 5),
        optional(row.conf_high, 5),
    ]
}

/// The models of a comparison.
fn table_of_models(comparison: &Comparison) -> PageTable {
    let preferred = comparison.preferred().map(|entry| &entry.candidate);
    let row = |entry: &Entry| {
        let star = if preferred == Some(&entry.candidate) { " *" } else { "" };
        let scores = entry.out_of_sample.as_ref();
        vec![
            format!("{}{star}", entry.candidate),
            entry.parameters.to_string(),
            optional(entry.log_likelihood, 7),
            optional(entry.aic, 7),
            optional(entry.bic, 7),
            entry.akaike_weight.map_or_else(|| "NA".to_owned(), |weight| format!("{weight:.3}")),
            scores.map_or_else(|| "NA".to_owned(), |scores| format!("{:.4}", scores.log_score)),
            optional(scores.map(|scores| scores.log_score_std_error), 2),
            scores.map_or_else(|| "NA".to_owned(), |scores| percent((1000.0 * scores.coverage).round() / 1000.0)),
            entry.note.clone().unwrap_or_default(),
        ]
    };
    let head =
        ["model", "parameters", "log-likelihood", "AIC", "BIC", "weight", "log score", "std_error", "90% covers", ""];
    PageTable {
        caption: format!("Models of {}; the star is at the preferred one", count_of(comparison.nobs, "observation")),
        head: head.map(str::to_owned).into(),
        rows: comparison.models.iter().map(row).collect(),
    }
}
