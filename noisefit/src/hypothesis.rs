//! Hypotheses about the coefficients of a fit.

use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::hypothesis::{self, Adjust, DrawWeights, Drawn, Names, OF_SCALE, Test, Wild};
use noisefit_core::inference::vif::{self, Inflation};
use noisefit_core::noise::{AsymmetricLaplace, Noise};
use noisefit_core::record::Fit;
use noisefit_data::DataError;
use noisefit_data::formula::Scope;
use noisefit_data::source::SourceOptions;
use noisefit_report::hypothesis::{By, How, Tests, summary, tidy};
use noisefit_report::tidy::Tidy;
use serde::Serialize;

use crate::error::Error;
use crate::fitted::Fitted;
use crate::refusal::{Refusal, WithEffects};
use crate::table::Table;
use crate::with_sampling::WithSampling;

/// How hypotheses are tested.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestOptions {
    /// Functions of the coefficients, by the delta method: `b1/b2`, `exp(a) = 2`.
    pub functions: Vec<String>,
    /// By what.
    pub method: TestMethod,
    /// How several tests at once are allowed for.
    pub adjust: Adjust,
    /// The level of the intervals; that of the fit unless given.
    pub level: Option<f64>,
    /// What is drawn at random is drawn from this number.
    pub seed: u64,
}

/// By what hypotheses are tested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TestMethod {
    /// Wald's statistic, with the covariance of the fit.
    #[default]
    Wald,
    /// The likelihood ratio, fitting again under each hypothesis.
    LikelihoodRatio,
    /// That coefficients are the same at all of several quantiles, by Wald's statistic with the joint covariance of the fits.
    AcrossQuantiles,
    /// The wild cluster bootstrap of least squares, under each hypothesis.
    WildCluster {
        /// The column that says which rows belong together; that of the fit's covariance unless given.
        cluster: Option<String>,
        /// The number of draws, 99 or more.
        draws: usize,
        /// What residuals are multiplied by in a draw.
        weights: DrawWeights,
    },
}

/// Tests of the one fit, or of each of several quantiles.
#[derive(Debug, Clone)]
pub struct Tested {
    formula: String,
    fits: Vec<(Fit, Option<String>, Vec<Test>)>,
    how: How,
}

impl Fitted {
    /// Tests hypotheses about the coefficients, which have the names that the table of the fit has: `x1 = x2`, `income = 0.5`, the
    /// name of a term (all its coefficients are zero), `.` (all but the intercept), several with commas between (all at once), and
    /// those of a modelled scale as `log scale: income`. Without any, each term of the formula is tested.
    ///
    /// Wald's statistic takes the fit's own covariance and degrees of freedom. The likelihood ratio and the bootstrap fit the rows again, of
    /// the table that the model was fitted to or one that is given.
    ///
    /// ```
    /// use noisefit::{Model, Table, TestOptions};
    ///
    /// let fitted = Model::new("foodexp ~ income").fit(&Table::open("../testdata/engel.csv")?)?;
    /// let tested = fitted.test(&["income = 0.5", "income"], None, &TestOptions::default())?;
    /// let half = &tested.tests()[0];
    /// assert!((half.statistic.unwrap() - (0.48517842 - 0.5) / fitted.std_errors()?[1].unwrap()).abs() < 1e-5);
    /// // At which income nothing would be spent on food: a function of coefficients.
    /// let options = TestOptions { functions: vec!["-(Intercept)/income".into()], ..TestOptions::default() };
    /// let tested = fitted.test::<&str>(&[], None, &options)?;
    /// assert!((tested.tests()[0].estimate.unwrap() + 147.47539 / 0.48517842).abs() < 1e-3);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSingleFit`] for what was trained; [`Error::NoTable`] for a likelihood ratio or a bootstrap after loading;
    /// [`Refusal::NoClusters`]; a hypothesis that cannot be read or tested; those of reading.
    pub fn test<H: AsRef<str>>(
        &self,
        hypotheses: &[H],
        table: Option<&Table>,
        options: &TestOptions,
    ) -> Result<Tested, Error> {
        let first = self.fits().first().ok_or(Error::NoSingleFit)?;
        let terms = self.terms();
        let mut texts: Vec<String> = hypotheses.iter().map(|text| text.as_ref().to_owned()).collect();
        if texts.is_empty() && options.functions.is_empty() {
            texts = terms.iter().map(|(name, _)| name.clone()).collect();
        }
        let level = options.level.unwrap_or(first.level);
        if options.method != TestMethod::Wald && !options.functions.is_empty() {
            let what = "a function of coefficients has a Wald test alone; test linear hypotheses otherwise";
            return Err(noisefit_core::Error::Unsupported(what.to_owned()).into());
        }
        if options.method != TestMethod::Wald {
            self.without_effects(WithEffects::Refits)?;
            self.without_sampling(WithSampling::Refits)?;
        }
        let mut by = By::Wald;
        let found = match &options.method {
            TestMethod::Wald => self.fits().iter().map(|fit| self.wald(fit, &terms, &texts, options, level)).collect(),
            TestMethod::LikelihoodRatio => {
                by = By::LikelihoodRatio;
                self.likelihood_ratios(&terms, &texts, table, options)
            }
            TestMethod::AcrossQuantiles => {
                let level_of = |fit: &Fit| match fit.noise {
                    Noise::Quantile(AsymmetricLaplace { tau }) => tau.to_string(),
                    other => other.to_string(),
                };
                by = By::AcrossQuantiles(self.fits().iter().map(level_of).collect());
                Ok(vec![self.across_quantiles(&terms, &texts, table, (level, options.adjust))?])
            }
            TestMethod::WildCluster { cluster, draws, weights } => {
                let wild = Wild { draws: *draws, weights: *weights, level, seed: options.seed };
                let (tests, cluster, drawn) =
                    self.wild_cluster(&Names::of(first, &terms), &texts, table, cluster.as_deref(), options, wild)?;
                by = By::WildCluster(cluster, drawn);
                Ok(vec![tests])
            }
        };
        let several = self.fits().len() > 1 && options.method != TestMethod::AcrossQuantiles;
        let named = |(fit, tests): (&Fit, Vec<Test>)| (fit.clone(), several.then(|| fit.noise.to_string()), tests);
        let how = How { by, adjust: options.adjust, level };
        let formula = self.model.design.formula().text().to_owned();
        Ok(Tested { formula, fits: self.fits().iter().zip(found?).map(named).collect(), how })
    }

    /// The variance inflation factors of the terms, by least squares over the table that the model was fitted to or one that is given.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let fitted = Model::new("mpg ~ wt + hp").fit(&Table::open("../testdata/mtcars.csv")?)?;
    /// assert!((fitted.inflations(None)?[0].gvif - 1.766625).abs() < 1e-6);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSingleFit`] for what was trained; [`Error::NoTable`] after loading; those of least squares and of reading.
    pub fn inflations(&self, table: Option<&Table>) -> Result<Vec<Inflation>, Error> {
        let first = self.fits().first().ok_or(Error::NoSingleFit)?;
        let [terms, _] = self.model.design.terms();
        let estimation = self.estimation_of(first);
        self.table_or(table)?.reading(self.model.design.columns_needed(Scope::All), |table| {
            let rows = self.rows(table, SourceOptions::default())?;
            Ok(vif::inflations(&rows, &terms, &estimation)?)
        })
    }

    /// The terms of the location and of the scale, with the names of their coefficients.
    fn terms(&self) -> Vec<(String, Vec<String>)> {
        let [location, scale] = self.model.design.terms();
        let of_scale = |name: String| format!("{OF_SCALE}{name}");
        let scale =
            scale.into_iter().map(|(name, members)| (of_scale(name), members.into_iter().map(of_scale).collect()));
        location.into_iter().chain(scale).collect()
    }

    fn wald(
        &self,
        fit: &Fit,
        terms: &[(String, Vec<String>)],
        hypotheses: &[String],
        options: &TestOptions,
        level: f64,
    ) -> Result<Vec<Test>, Error> {
        let TestOptions { functions, adjust, seed, .. } = options;
        Ok(hypothesis::wald(fit, &Names::of(fit, terms), hypotheses, functions, level, *adjust, *seed)?)
    }

    fn likelihood_ratios(
        &self,
        terms: &[(String, Vec<String>)],
        hypotheses: &[String],
        table: Option<&Table>,
        options: &TestOptions,
    ) -> Result<Vec<Vec<Test>>, Error> {
        let table = self.table_or(table)?;
        table.reading(self.model.design.columns_needed(Scope::All), |table| {
            let rows = self.rows(table, SourceOptions::default())?;
            let test = |fit: &Fit| {
                let (names, estimation) = (Names::of(fit, terms), self.estimation_of(fit));
                Ok(hypothesis::likelihood_ratio(&rows, fit, &names, hypotheses, options.adjust, &estimation)?)
            };
            self.fits().iter().map(test).collect()
        })
    }
}

impl Fitted {
    /// The tests that coefficients are the same at all quantiles.
    fn across_quantiles(
        &self,
        terms: &[(String, Vec<String>)],
        hypotheses: &[String],
        table: Option<&Table>,
        how: (f64, Adjust),
    ) -> Result<Vec<Test>, Error> {
        let first = self.fits().first().ok_or(Error::NoSingleFit)?;
        self.table_or(table)?.reading(self.model.design.columns_needed(Scope::All), |table| {
            let rows = self.rows(table, SourceOptions::default())?;
            let estimation = self.estimation_of(first);
            Ok(hypothesis::across_quantiles(&rows, self.fits(), terms, hypotheses, how, &estimation)?)
        })
    }

    /// The tests by a wild cluster bootstrap, the column of the clusters, and what was drawn.
    fn wild_cluster(
        &self,
        names: &Names,
        hypotheses: &[String],
        table: Option<&Table>,
        cluster: Option<&str>,
        options: &TestOptions,
        wild: Wild,
    ) -> Result<(Vec<Test>, String, Drawn), Error> {
        let (fit, table) = (self.fit()?, self.table_or(table)?);
        let of_fit = Vcov::of(&fit.covariance.kind).and_then(|vcov| vcov.clusters().first().cloned());
        let cluster = cluster.map(str::to_owned).or(of_fit).ok_or(Refusal::NoClusters)?;
        let known = self.model.design.columns_needed(Scope::All);
        let (tests, drawn) = table.reading(known, |table| {
            let design = self.model.design.clone();
            let design = design.with_clusters_of(std::slice::from_ref(&cluster), table.dataset().fields());
            let rows = table.rows(&design.map_err(DataError::from)?, SourceOptions::default())?;
            let estimation = self.estimation_of(fit);
            Ok(hypothesis::wild_cluster(&rows, fit, names, hypotheses, options.adjust, wild, &estimation)?)
        })?;
        Ok((tests, cluster, drawn))
    }
}

impl Tested {
    /// The tests, of several quantiles one after the other.
    pub fn tests(&self) -> Vec<&Test> {
        self.fits.iter().flat_map(|(_, _, tests)| tests).collect()
    }

    fn shown(&self) -> Vec<Tests<'_>> {
        self.fits.iter().map(|(fit, name, tests)| Tests { fit, name: name.as_deref(), tests }).collect()
    }

    /// The tables for people.
    pub fn summary(&self) -> String {
        summary(&self.formula, &self.shown(), &self.how)
    }

    /// The tests as one table.
    pub fn tidy(&self) -> Tidy {
        tidy(&self.shown())
    }

    /// The JSON object.
    pub fn record(&self) -> impl Serialize + use<'_> {
        let (one, several) = match &self.fits[..] {
            [(_, _, tests)] => (Some(&tests[..]), None),
            fits => {
                let of = |(fit, _, tests): &'_ (Fit, _, Vec<Test>)| OfFit { noise: fit.noise, tests: tests.clone() };
                (None, Some(fits.iter().map(of).collect()))
            }
        };
        let vcov = self.fits.first().map(|(fit, _, _)| fit.covariance.kind.as_str());
        let (method, cluster, drawn) = match &self.how.by {
            By::Wald => ("wald", None, None),
            By::LikelihoodRatio => ("likelihood-ratio", None, None),
            By::AcrossQuantiles(_) => ("across-quantiles", None, None),
            By::WildCluster(cluster, drawn) => ("wild-cluster", Some(&cluster[..]), Some(*drawn)),
        };
        Record {
            schema: "noisefit.test/1",
            formula: &self.formula,
            noise: self.fits.first().map(|(fit, _, _)| fit.noise).filter(|_| one.is_some()),
            method,
            vcov_type: vcov.filter(|_| matches!(self.how.by, By::Wald | By::AcrossQuantiles(_))),
            cluster,
            drawn,
            quantiles: match &self.how.by {
                By::AcrossQuantiles(levels) => levels,
                _ => &[],
            },
            adjust: self.how.adjust,
            level: self.how.level,
            tests: one,
            fits: several,
        }
    }
}

/// The JSON object of tests.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    formula: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    noise: Option<Noise>,
    method: &'static str,
    /// The covariance of Wald tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    vcov_type: Option<&'a str>,
    /// The column of the clusters of a bootstrap, and what was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<Drawn>,
    /// The levels between which coefficients are compared.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    quantiles: &'a [String],
    adjust: Adjust,
    level: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<&'a [Test]>,
    /// Of several quantiles the tests of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    fits: Option<Vec<OfFit>>,
}

/// The tests of one of several fits.
#[derive(Serialize)]
struct OfFit {
    noise: Noise,
    tests: Vec<Test>,
}
