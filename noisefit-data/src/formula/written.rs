//! Formulas and expressions as they are written: their grammar is right, and nothing is known of any columns.

use super::error::{FormulaError, Span};
use super::syntax::{Node, Syntax};
use super::{parser, terms};

/// A formula whose grammar is right; whether its columns are there, [`Formula::resolve`] says.
#[derive(Debug, Clone)]
pub struct Formula {
    pub(super) text: String,
    pub(super) response: Option<Node>,
    pub(super) terms: Node,
    /// The names of columns whose levels are absorbed.
    pub(super) effects: Vec<Node>,
    pub(super) scale: Option<ScaleFormula>,
    pub(super) clusters: Vec<String>,
    /// Columns that must not be missing, beside those that are read.
    pub(super) required: Vec<String>,
}

/// The terms of the noise scale's logarithm.
#[derive(Debug, Clone)]
pub struct ScaleFormula {
    pub(super) text: String,
    pub(super) terms: Node,
}

impl ScaleFormula {
    /// The formula as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// As it stands behind the `~`.
impl std::fmt::Display for ScaleFormula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.terms)
    }
}

impl Formula {
    /// Parses `response ~ terms`, or `~ terms` without a response; behind a `|` may stand columns whose levels are absorbed.
    ///
    /// # Errors
    /// [`FormulaError`] points at the place.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// assert_eq!(Formula::parse("log( y+1 )~x1*x2 -1")?.to_string(), "log(y + 1) ~ x1 * x2 - 1");
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let (response, terms, effects) = parser::formula(text)?;
        let (clusters, required) = (Vec::new(), Vec::new());
        Ok(Formula { text: text.to_owned(), response, terms, effects, scale: None, clusters, required })
    }

    /// Models the logarithm of the noise scale, too: `~ terms`, or the terms alone, in the same language.
    ///
    /// # Errors
    /// [`FormulaError`] points at the place; a response has none here.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// let formula = Formula::parse("y ~ x")?.with_scale("~ log( x )")?;
    /// assert_eq!(formula.scale().map(|scale| scale.to_string()), Some("log(x)".to_owned()));
    /// let error = formula.with_scale("y ~ x").unwrap_err();
    /// assert_eq!(error.message(), "a formula of the scale has no response; write ~ x");
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn with_scale(mut self, text: &str) -> Result<Self, FormulaError> {
        self.scale = Some(ScaleFormula { text: text.to_owned(), terms: parser::one_sided(text)? });
        Ok(self)
    }

    /// Models the logarithm of the noise scale by an intercept and the terms of the location.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// let scale = |text| Formula::parse(text).map(|formula| formula.with_scale_of_location().scale().map(ToString::to_string));
    /// assert_eq!(scale("y ~ log(x) + z")?.as_deref(), Some("log(x) + z"));
    /// assert_eq!(scale("y ~ x - 1")?.as_deref(), Some("x - 1 + 1"));
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn with_scale_of_location(self) -> Self {
        let intercept = terms::expand(&self.text, &self.terms, &[]).map_or(true, |terms| terms.intercept);
        let text = format!("~ {}{}", self.terms, if intercept { "" } else { " + 1" });
        self.clone().with_scale(&text).unwrap_or(self)
    }

    /// Reads columns, too, that say which rows belong together; rows where one is missing are left out. They belong to a fit
    /// and not to the model: what is stored of a design does not have them.
    pub fn with_clusters(mut self, columns: &[String]) -> Self {
        self.clusters = columns.to_vec();
        self
    }

    /// Leaves out rows, too, in which one of these columns is missing: those of other formulas that are set beside this one. What is
    /// stored of a design does not have them.
    pub fn with_required(mut self, columns: &[String]) -> Self {
        self.required = columns.to_vec();
        self
    }

    /// The formula whose terms are those of this one and of another with the same response, with the intercept if either has it: every
    /// linear predictor of the two is one of it.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// let joined = Formula::parse("y ~ x - 1")?.joined(&Formula::parse("y ~ z")?)?;
    /// assert_eq!(joined.to_string(), "y ~ (x - 1) + (z) + 1");
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    ///
    /// # Errors
    /// [`FormulaError`] where the two together are no formula.
    pub fn joined(&self, other: &Formula) -> Result<Self, FormulaError> {
        let intercept =
            |formula: &Formula| terms::expand(&formula.text, &formula.terms, &[]).map_or(true, |terms| terms.intercept);
        let sign = if intercept(self) || intercept(other) { '+' } else { '-' };
        let response = self.response.as_ref().map(|response| format!("{response} ")).unwrap_or_default();
        let joined = Formula::parse(&format!("{response}~ ({}) + ({}) {sign} 1", self.terms, other.terms))?;
        Ok(Formula { clusters: self.clusters.clone(), required: self.required.clone(), ..joined })
    }

    /// Its offsets as they are written.
    pub fn offsets(&self) -> Vec<String> {
        let terms = terms::expand(&self.text, &self.terms, &[]);
        terms.map(|terms| terms.offsets.iter().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// The response as the formula has it; nothing where it has none.
    pub fn response_text(&self) -> String {
        self.response.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// The formula of the noise scale's logarithm, where that is modelled.
    pub fn scale(&self) -> Option<&ScaleFormula> {
        self.scale.as_ref()
    }

    /// The formula as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The columns whose levels are absorbed.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// assert_eq!(Formula::parse("y ~ x | firm + year")?.effects(), ["firm", "year"]);
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn effects(&self) -> Vec<&str> {
        self.effects
            .iter()
            .filter_map(|node| if let Syntax::Name(name) = &node.syntax { Some(name.as_str()) } else { None })
            .collect()
    }

    /// Whether something stands before the `~`.
    pub fn has_response(&self) -> bool {
        self.response.is_some()
    }

    /// The names of the columns that it names, each once; a `.` names none.
    pub fn columns(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.visit(&mut |node| match &node.syntax {
            Syntax::Name(name) if !names.contains(&name.as_str()) => names.push(name.as_str()),
            _ => {}
        });
        names
    }

    /// Whether a `.` stands in it for all columns that it does not name.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// assert!(Formula::parse("y ~ . - x")?.takes_all_others() && !Formula::parse("y ~ x")?.takes_all_others());
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn takes_all_others(&self) -> bool {
        let mut dot = false;
        self.visit(&mut |node| dot |= matches!(node.syntax, Syntax::Dot));
        dot
    }

    /// Visits every part, in the order of the text.
    pub(super) fn visit<'a>(&'a self, visitor: &mut impl FnMut(&'a Node)) {
        self.response.iter().for_each(|response| response.visit(visitor));
        self.terms.visit(visitor);
        self.effects.iter().for_each(|effect| effect.visit(visitor));
        self.scale.iter().for_each(|scale| scale.terms.visit(visitor));
    }
}

impl std::fmt::Display for Formula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.response {
            Some(response) => write!(f, "{response} ~ {}", self.terms),
            None => write!(f, "~{}", self.terms),
        }?;
        for (i, effect) in self.effects.iter().enumerate() {
            write!(f, " {} {effect}", if i == 0 { "|" } else { "+" })?;
        }
        Ok(())
    }
}

/// Arithmetic on columns, such as weights: a column's name, or `1/(0.1 + 0.3 * x)^2`.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(super) text: String,
    pub(super) node: Node,
}

impl Expression {
    /// Parses arithmetic in the language of [`Formula`].
    ///
    /// # Errors
    /// [`FormulaError`] points at the place.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        Ok(Expression { text: text.to_owned(), node: parser::expression(text)? })
    }

    /// The single column called `name`, whatever characters it has.
    pub fn column(name: &str) -> Self {
        let span = Span { start: 0, end: name.len() };
        Expression { text: name.to_owned(), node: Node::new(span, Syntax::Name(name.to_owned())) }
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of the columns that it names, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.node.visit(&mut |node| match &node.syntax {
            Syntax::Name(name) if !names.contains(&name.as_str()) => names.push(name.as_str()),
            _ => {}
        });
        names
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.node)
    }
}
