//! Effects in the units of the response: average predictions, slopes and comparisons over the rows of a table.

mod asked;
mod heads;
mod options;
mod sums;
mod typical;
mod units;

use noisefit_core::inference::effects::{Effect, Mean};
use noisefit_core::inference::hypothesis::Statistic;
use noisefit_core::noise::{AsymmetricLaplace, Noise};
use noisefit_core::record::{Fit, Topic};
use noisefit_core::sentence;
use noisefit_core::wording::{Sentence, Setting};
use noisefit_data::DataError;
use noisefit_data::formula::{EvaluateOptions, Scope, Undefined, Variable};
use noisefit_data::frame::Field;
use noisefit_data::read::Decimals;
use noisefit_data::source::columns_of;
use noisefit_report::effects::{Effects as Shown, Row};
use noisefit_report::text::{count_of, significant};
use noisefit_report::tidy::Tidy;
use serde::Serialize;

pub use options::{At, Change, EffectsOptions, Quantity, Slope, Units, Varied};

use asked::{Asked, Columns, Given, What, unsupported, wanted};
use heads::{Head, Heads};
use sums::{Pass, Sums};
use typical::typical;
use units::{infinite_means, rule, rule_of_trained};

use crate::error::Error;
use crate::fitted::Fitted;
use crate::remark::Remark;
use crate::table::Table;
use crate::tidy_file::save;

/// Averages over the rows of a table.
#[derive(Debug, Clone)]
pub struct Effects {
    shown: Shown,
    /// The fit, or the first of several, that they are of.
    fit: Option<Fit>,
    warnings: Vec<Remark>,
}

/// Averages that are ready to be taken.
struct Ready<'a> {
    scope: Scope,
    /// The columns that the design reads, and positions in the table of these and of the columns that make groups.
    fields: Vec<Field>,
    read: Vec<usize>,
    by: Vec<usize>,
    by_fields: Vec<Field>,
    heads: Heads<'a>,
    settings: Vec<Given>,
    asked: Vec<Asked>,
}

impl Fitted {
    /// What the model says in the units of the response, as averages over the rows of a table (that of the fit unless one is given): of
    /// slopes, of predictions, or of comparisons, at the observed values or at given ones, of all rows or by groups; with standard errors
    /// by the delta method, from the covariance of the fit.
    ///
    /// Slopes are derivatives, exact ones; categories are compared with their reference level. Of a transformed response such as `log(y)`
    /// effects are of the mean of `y` itself, by the fitted noise where that is known in closed form, else by Duan's smearing; of quantiles
    /// they are of the quantiles of `y`.
    ///
    /// ```
    /// use noisefit::{EffectsOptions, Model, Quantity, Table};
    ///
    /// let table = Table::open("../testdata/mtcars.csv")?;
    /// let fitted = Model::new("mpg ~ wt + I(wt^2) + C(cyl)").fit(&table)?;
    /// let effects = fitted.effects(None, &EffectsOptions::default())?;
    /// let (coef, rows) = (fitted.coef()?, effects.rows());
    /// // b1 + 2 b2 times the mean weight, 3.21725.
    /// let slope = coef[1].estimate.unwrap() + 2.0 * coef[2].estimate.unwrap() * 3.21725;
    /// assert_eq!((rows[0].term.as_str(), rows[0].contrast.as_str()), ("wt", "dY/dX"));
    /// assert!((rows[0].effect.estimate - slope).abs() < 1e-12);
    /// assert_eq!((rows[1].contrast.as_str(), rows[2].contrast.as_str()), ("6 - 4", "8 - 4"));
    ///
    /// let options = EffectsOptions { quantity: Quantity::Predictions, by: vec!["cyl".into()], ..EffectsOptions::default() };
    /// assert_eq!(fitted.effects(None, &options)?.rows().len(), 3);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoTable`] after loading; columns, levels and units that the model or the table does not have; predictions of a model that
    /// was saved without the constants of its effects; those of reading.
    pub fn effects(&self, table: Option<&Table>, options: &EffectsOptions) -> Result<Effects, Error> {
        let known = self.model.design.columns_needed(self.effects_scope());
        self.table_or(table)?.reading(known, |table| self.effects_once(table, options))
    }

    /// The columns that effects read of a table, but for those that make groups.
    pub fn effects_columns(&self) -> &[Field] {
        self.model.design.columns_needed(self.effects_scope())
    }

    /// What is read: frequencies and sampling weights where rows stand for several.
    fn effects_scope(&self) -> Scope {
        let design = &self.model.design;
        let counted = design.frequencies().is_some() || design.sampling_weights().is_some();
        if counted { Scope::All } else { Scope::Design }
    }

    fn effects_once(&self, table: &Table, options: &EffectsOptions) -> Result<Effects, Error> {
        let design = &self.model.design;
        let variables = design.variables();
        let ready = self.ready(table, options, &variables)?;
        let evaluate = EvaluateOptions {
            scope: ready.scope,
            unseen: options.unseen,
            undefined: Undefined::Missing,
            ..EvaluateOptions::default()
        };
        let pass = Pass {
            design,
            dataset: table.dataset(),
            heads: &ready.heads,
            settings: &ready.settings,
            asked: &ready.asked,
            fields: &ready.fields,
            by: &ready.by,
            slope: options.slope,
            options: evaluate,
        };
        let mut sums = Sums::default();
        table.dataset().scan(
            &ready.read,
            Decimals::WithLow,
            table.watch(),
            |frames| {
                let mut own = Sums::default();
                for frame in frames {
                    pass.add(&mut own, &frame?)?;
                }
                Ok::<_, DataError>(own)
            },
            |_, later| {
                sums.merge(later);
                Ok(())
            },
        )?;
        if sums.counts.used == 0 {
            return Err(unsupported("no row of the data is complete: there is nothing to average over".to_owned()));
        }
        let level = options.level.or(self.fits().first().map(|fit| fit.level)).unwrap_or(0.95);
        let found = self.found(&ready, &sums, level)?;
        if let Some(why) = self.infinite(&ready, &found, table, options)? {
            if options.units.is_some() {
                return Err(unsupported(format!("{why}; ask for the median")));
            }
            let column = design.response_column().unwrap_or_default();
            let medians = EffectsOptions { units: Some(Units::Median), ..options.clone() };
            let mut effects = self.effects_once(table, &medians)?;
            let sentence = format!("{why}: effects are of medians of {column}");
            effects.warnings.insert(0, Remark { topic: Topic::Prediction, sentence: sentence.into() });
            return Ok(effects);
        }
        let warnings = self.effects_warnings(&ready, &sums, options, &variables);
        let of = match &ready.heads {
            Heads::Fits(heads) => heads.first().map(|head| head.rule.of.clone()).unwrap_or_default(),
            Heads::Network(_, rule) => rule.of.clone(),
        };
        let noise = match (self.fits(), self.network()) {
            ([fit], _) => fit.noise.to_string(),
            ([], Some(network)) => network
                .members
                .first()
                .and_then(|member| member.noise.first())
                .map(ToString::to_string)
                .unwrap_or_default(),
            (fits, _) => format!(
                "quantiles {}",
                fits.iter().filter_map(tau).map(|tau| tau.to_string()).collect::<Vec<_>>().join(", ")
            ),
        };
        let at = ready.settings.first().map_or(&[][..], |setting| &setting.shown).iter().map(|(name, _)| name.clone());
        let shown = Shown {
            formula: design.formula().text().to_owned(),
            heading: if self.fits().len() > 1 { noise.clone() } else { format!("{noise} noise") },
            noise,
            quantity: options.quantity.to_string(),
            of,
            by: options.by.clone(),
            at: at.map(|name| if options.by.contains(&name) { format!("{name} set to") } else { name }).collect(),
            level,
            rows: sums.counts.used,
            found,
        };
        Ok(Effects { shown, fit: self.fits().first().cloned(), warnings })
    }

    fn ready<'a>(
        &'a self,
        table: &Table,
        options: &EffectsOptions,
        variables: &[Variable],
    ) -> Result<Ready<'a>, Error> {
        let (model, dataset, scope) = (&self.model, table.dataset(), self.effects_scope());
        let heads = match &model.network {
            Some(network) => Heads::Network(network, rule_of_trained(model, options)?),
            None => {
                let head = |fit: &'a Fit| Ok(Head::new(fit, rule(model, fit, table, options)?)?);
                Heads::Fits(model.fits.iter().map(head).collect::<Result<_, Error>>()?)
            }
        };
        let rules: Vec<_> = match &heads {
            Heads::Fits(heads) => heads.iter().map(|head| &head.rule).collect(),
            Heads::Network(_, rule) => vec![rule],
        };
        if options.quantity == Quantity::Predictions || rules.iter().any(|rule| !rule.mean.is_location()) {
            self.check_effects()?;
        }
        let fields = model.design.columns_needed(scope).to_vec();
        let mut read = columns_of(&model.design, dataset, scope)?;
        let (mut by, mut by_fields) = (Vec::new(), Vec::new());
        for name in &options.by {
            let position = dataset.position(name).ok_or_else(|| Error::NoColumn {
                setting: Setting::By,
                name: name.clone(),
                files: None,
                columns: table.names(),
            })?;
            let place = read.iter().position(|&known| known == position).unwrap_or_else(|| {
                read.push(position);
                read.len() - 1
            });
            by.push(place);
            by_fields.push(dataset.fields()[position].clone());
        }
        let wanted = wanted(options, variables, &fields);
        let known = match wanted.is_empty() {
            true => Default::default(),
            false => typical(model, table, &wanted, scope, options.unseen)?,
        };
        let columns = Columns { variables, fields: &fields, typical: &known };
        let with_scale = rules.iter().any(|rule| rule.mean.reads_scale());
        let (settings, asked) = (columns.settings(&options.at)?, columns.asked(options, with_scale)?);
        Ok(Ready { scope, read, by, by_fields, heads, settings, asked, fields })
    }

    /// The averages, in the order of the groups, of what columns are set to and of what was asked for.
    fn found(&self, ready: &Ready<'_>, sums: &Sums, level: f64) -> Result<Vec<Row>, Error> {
        let mut order: Vec<usize> = (0..sums.groups.keys().len()).collect();
        order.sort_by(|&a, &b| sums.groups.keys()[a].order(&sums.groups.keys()[b]));
        let heads = ready.heads.count();
        let absorbs = !self.model.design.layout().effects.is_empty();
        let mut found = Vec::new();
        for group in order {
            let averages = &sums.averages[group];
            let key = sums.groups.keys()[group].shown(&ready.by_fields);
            for (s, setting) in ready.settings.iter().enumerate() {
                for (k, asked) in ready.asked.iter().enumerate() {
                    let own = &averages[(s * ready.asked.len() + k) * heads..][..heads];
                    if own.iter().all(|average| average.weight() == 0.0) {
                        continue;
                    }
                    let row = |curve: Option<String>, effect: Effect| Row {
                        curve,
                        group: key.clone(),
                        at: setting.shown.iter().map(|(_, value)| value.clone()).collect(),
                        term: asked.term.clone(),
                        contrast: asked.contrast.clone(),
                        nobs: own[0].weight(),
                        effect,
                    };
                    match &ready.heads {
                        Heads::Fits(all) => {
                            for (head, average) in all.iter().zip(own) {
                                let unknown =
                                    absorbs && (asked.what == What::Prediction || !head.rule.mean.is_location());
                                let effect = match unknown {
                                    true => Effect::without_error(average.mean()),
                                    false => average.test(head.fit, &asked.term, level)?.into(),
                                };
                                let curve = tau(head.fit).filter(|_| all.len() > 1).map(|tau| tau.to_string());
                                found.push(row(curve, effect));
                            }
                        }
                        Heads::Network(network, _) => {
                            let curves = network.curves();
                            for curve in 0..curves {
                                let members: Vec<f64> =
                                    own.iter().skip(curve).step_by(curves).map(|average| average.mean()).collect();
                                let noise = network.members.first().and_then(|member| member.noise.get(curve));
                                let name = noise.and_then(tau_of).filter(|_| curves > 1).map(|tau| tau.to_string());
                                found.push(row(name, Effect::of_members(&members)));
                            }
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    /// Why some of the averages are no numbers, where that is because a modelled scale is so large that the mean is infinite.
    fn infinite(
        &self,
        ready: &Ready<'_>,
        found: &[Row],
        table: &Table,
        options: &EffectsOptions,
    ) -> Result<Option<String>, Error> {
        let Heads::Fits(heads) = &ready.heads else { return Ok(None) };
        let exponential = heads.iter().find_map(|head| match &head.rule.mean {
            Mean::Exponential { per, .. } if head.fit.scale.is_modelled() => Some((head.fit, *per)),
            _ => None,
        });
        let Some((fit, per)) = exponential.filter(|_| found.iter().any(|row| !row.effect.estimate.is_finite())) else {
            return Ok(None);
        };
        let [infinite, rows] = infinite_means(&self.model, fit, per, table, options.unseen)?;
        let (noise, response) = (fit.noise, self.model.design.response());
        let place = match infinite {
            0 => "at some of the values that columns are set to".to_owned(),
            _ => format!("in {infinite} of {}", count_of(rows, "row")),
        };
        // What the scale of a logarithm must be below.
        let limit = if per == 1.0 { "1".to_owned() } else { significant(1.0 / per, 3) };
        Ok(Some(format!(
            "under {noise} noise the mean of exp({response}) is infinite {place}, where the scale is {limit} or more"
        )))
    }

    fn effects_warnings(
        &self,
        ready: &Ready<'_>,
        sums: &Sums,
        options: &EffectsOptions,
        variables: &[Variable],
    ) -> Vec<Remark> {
        let (design, counts) = (&self.model.design, sums.counts);
        let mut warnings: Vec<Sentence> = Vec::new();
        let left_out = |count: u64, why: &str| format!("{} {why}", count_of(count, "row"));
        if counts.missing > 0 {
            warnings
                .push(left_out(counts.missing, "with a missing value are not among those that are averaged").into());
        }
        if counts.undefined > 0 {
            warnings.push(
                left_out(counts.undefined, "in which a term has no finite value are not among those that are averaged")
                    .into(),
            );
        }
        if counts.unpaired > 0 {
            warnings
                .push(left_out(counts.unpaired, "are left out of a comparison, of which one side has no value").into());
        }
        if counts.beyond > 0 {
            let what = "with a value beyond the boundary of a spline, where bs goes on as a polynomial and ns as a straight line";
            warnings.push(left_out(counts.beyond, what).into());
        }
        let (absorbs, trained) = (!design.layout().effects.is_empty(), self.network().is_some());
        let rules: Vec<_> = match &ready.heads {
            Heads::Fits(heads) => heads.iter().map(|head| &head.rule).collect(),
            Heads::Network(_, rule) => vec![rule],
        };
        for rule in &rules {
            warnings.extend(
                rule.said
                    .iter()
                    .filter(|said| !warnings.iter().any(|known| known.to_string() == **said))
                    .cloned()
                    .map(Into::into)
                    .collect::<Vec<Sentence>>(),
            );
        }
        if absorbs && (options.quantity == Quantity::Predictions || rules.iter().any(|rule| !rule.mean.is_location())) {
            let names: Vec<&str> = design.layout().effects.iter().map(|effect| effect.name.as_str()).collect();
            let what = format!(
                "how sure the constants of absorbed effects ({}) are is not kept: these averages have no standard errors",
                names.join(", ")
            );
            warnings.push(what.into());
        }
        if trained {
            let members = self.network().map_or(0, |network| network.members.len());
            let what = match members {
                1 => "what is trained by gradient steps has no covariance: averages have no standard errors",
                _ => {
                    "what is trained by gradient steps has no covariance: spread is the standard deviation of what the members of the ensemble say, no standard error"
                }
            };
            warnings.push(what.into());
        }
        let jumps = ready.asked.iter().filter(|asked| matches!(asked.what, What::Slope { .. }));
        let jumps =
            jumps.filter(|asked| variables.iter().any(|variable| variable.name == asked.term && variable.is_compared));
        for asked in jumps {
            let term = &asked.term;
            warnings.push(format!("{term} stands in a comparison, which jumps and has no slope there: slopes by {term} are without it; ask for comparisons").into());
        }
        let is_aliased = |fit: &Fit| fit.location.rows.iter().any(|row| row.estimate.is_none());
        if self.fits().iter().any(is_aliased) {
            warnings.push("the model has collinear terms: aliased ones count as zero, and averages hold only where rows are related as in its data".into());
        }
        if self.fits().iter().any(|fit| fit.scale.is_modelled()) && rules.iter().any(|rule| rule.mean.reads_scale()) {
            warnings.push("the covariance of location and scale is taken for zero".into());
        }
        if design.sampling_weights().is_some() {
            warnings.push("averages are over the population, by the sampling weights".into());
        }
        if !options.variables.is_empty() && options.change.is_some() && options.quantity == Quantity::Slopes {
            warnings.push(sentence!["a change is one of comparisons: ", "slopes are without it"]);
        }
        Remark::all(Topic::Prediction, warnings)
    }
}

/// The level of a quantile.
fn tau(fit: &Fit) -> Option<f64> {
    tau_of(&fit.noise)
}

fn tau_of(noise: &Noise) -> Option<f64> {
    match noise {
        Noise::Quantile(AsymmetricLaplace { tau }) => Some(*tau),
        _ => None,
    }
}

impl Effects {
    /// The averages.
    pub fn rows(&self) -> &[Row] {
        &self.shown.found
    }

    /// What is to be said.
    pub fn warnings(&self) -> &[Remark] {
        &self.warnings
    }

    /// The table for people.
    pub fn summary(&self) -> String {
        self.shown.summary(self.fit.as_ref())
    }

    /// The averages as one table.
    pub fn tidy(&self) -> Tidy {
        self.shown.tidy()
    }

    /// The averages as a .csv, .tsv, .ndjson or .parquet file.
    ///
    /// # Errors
    /// A name that ends otherwise; a file that cannot be written.
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        save(&self.tidy(), path.as_ref())
    }

    /// The JSON object.
    pub fn record(&self) -> impl Serialize + use<'_> {
        let Shown { formula, noise, quantity, of, by, at, level, rows, found, .. } = &self.shown;
        let vcov = self.fit.as_ref().map(|fit| fit.covariance.kind.as_str());
        let has_errors = found.iter().any(|row| row.effect.std_error.is_some());
        let named = |names: &[String], values: &[String]| -> serde_json::Map<String, serde_json::Value> {
            names.iter().cloned().zip(values.iter().cloned().map(Into::into)).collect()
        };
        let averages = found.iter().map(|row| Average {
            quantile: row.curve.clone(),
            by: named(by, &row.group),
            at: named(at, &row.at),
            term: Some(row.term.clone()).filter(|term| !term.is_empty()),
            contrast: Some(row.contrast.clone()).filter(|contrast| !contrast.is_empty()),
            estimate: row.effect.estimate,
            std_error: row.effect.std_error,
            test: row.effect.std_error.map(|_| row.effect.test),
            statistic: row.effect.statistic,
            df: row.effect.df,
            p_value: row.effect.p_value,
            conf_low: row.effect.conf_low,
            conf_high: row.effect.conf_high,
            spread: row.effect.spread,
            nobs: row.nobs,
        });
        Record {
            schema: "noisefit.effects/1",
            formula,
            noise,
            quantity,
            of,
            vcov_type: vcov.filter(|_| has_errors),
            level: *level,
            rows: *rows,
            effects: averages.collect(),
            warnings: self.warnings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The JSON object of averages.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    formula: &'a str,
    noise: &'a str,
    quantity: &'a str,
    /// Of what: the response, or `means of y`.
    of: &'a str,
    /// The covariance of the standard errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    vcov_type: Option<&'a str>,
    level: f64,
    /// Rows that were used.
    rows: u64,
    effects: Vec<Average>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// One of them.
#[derive(Serialize)]
struct Average {
    #[serde(skip_serializing_if = "Option::is_none")]
    quantile: Option<String>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    by: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    at: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contrast: Option<String>,
    estimate: f64,
    std_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Statistic>,
    statistic: Option<f64>,
    df: Option<f64>,
    p_value: Option<f64>,
    conf_low: Option<f64>,
    conf_high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spread: Option<f64>,
    nobs: f64,
}
