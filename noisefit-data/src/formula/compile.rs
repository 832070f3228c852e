//! From a formula and a table's fields to a plan.

use super::coding::{Coder, Side, Variable};
use super::error::{FormulaError, Span, list};
use super::expression::Expr;
use super::function::LIST;
use super::learned::{Learned, Levels, MOST_ABSORBED, MOST_LEVELS};
use super::plan::{ABSORBED, Category, Lesson, Lessons, Pending, Plan};
use super::reference::Reference;
use super::spline::{Asked, Family};
use super::syntax::{Argument, Call, Comparison, Node, Operator, Syntax, is_true};
use super::terms::{Terms, expand};
use super::written::{Expression, Formula};
use crate::frame::{Field, Kind};
use noisefit_core::rows::{EffectLayout, Layout, ScaleLayout};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Everything the plan follows from, apart from what is learned.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub formula: Formula,
    pub weights: Option<Expression>,
    pub frequencies: Option<Expression>,
    pub sampling: Option<Sampling>,
    pub fields: Vec<Field>,
    /// Columns at most.
    pub most_columns: usize,
}

/// Weights by which rows were drawn, in the place of frequencies.
#[derive(Debug, Clone)]
pub(super) struct Sampling {
    pub column: Expression,
    /// What they are divided by: their mean over the rows that are used, once it is known.
    pub mean: f64,
}

/// Columns that a design may have whatever the memory: what a damaged file asks for is not to be made.
pub(super) const MOST_COLUMNS: usize = 1 << 18;

pub(super) fn compile(source: &Source, learned: &Lessons) -> Result<Plan, FormulaError> {
    let formula = &source.formula;
    let mut compiler = Compiler::new(formula.text(), &source.fields, Some(learned));
    let mut location = compiler.side(source, &formula.terms)?;
    let effects = compiler.effects(source)?;
    // The constants of all levels hold that of all rows: terms are coded as beside an intercept.
    location.intercept |= !formula.effects.is_empty();
    let scale = match &formula.scale {
        Some(scale) => {
            compiler.text = scale.text();
            Some(compiler.side(source, &scale.terms)?)
        }
        None => None,
    };
    let design = compiler.columns.len();

    (compiler.text, compiler.learned) = (formula.text(), None);
    let response = formula.response.as_ref().map(|node| compiler.response(node)).transpose()?;
    let with_response = compiler.columns.len();
    let weights = compiler.extra(source.weights.as_ref())?;
    let sampling = source.sampling.as_ref();
    let counted = sampling.map(|sampling| &sampling.column).or(source.frequencies.as_ref());
    let frequencies = compiler.extra(counted)?;
    let clusters = formula.clusters.iter().map(|name| compiler.cluster(name)).collect::<Result<_, _>>()?;
    formula.required.iter().try_for_each(|name| compiler.cluster(name).map(drop))?;

    let layout = compiler.layout(&effects);
    let mut plan = Plan {
        scopes: [design, with_response, compiler.columns.len()],
        columns: compiler.columns.iter().map(|&field| source.fields[field].clone()).collect(),
        truths: compiler.truths,
        layout: Layout {
            response: match (&formula.response, &location.offset) {
                (None, _) => String::new(),
                (Some(response), None) => response.to_string(),
                (Some(response), Some((offset, _))) => format!("{response} - {offset}"),
            },
            terms: Vec::new(),
            intercept: location.intercept && formula.effects.is_empty(),
            scale: scale.as_ref().map(|side| ScaleLayout { terms: Vec::new(), intercept: side.intercept }),
            clusters: formula.clusters.clone(),
            effects: layout,
            sampling: sampling.is_some(),
        },
        categories: compiler.categories,
        effects,
        steps: Vec::new(),
        outputs: Vec::new(),
        scale_outputs: Vec::new(),
        offsets: [None; 2],
        terms: Default::default(),
        response,
        weights,
        frequencies,
        sampling: sampling.map(|sampling| sampling.mean),
        clusters,
        pending: compiler.pending,
    };
    if plan.pending.is_empty() {
        let count = location.columns() + scale.as_ref().map_or(0.0, Side::columns);
        if count > source.most_columns as f64 {
            return Err(too_many(&source.formula, count, source.most_columns));
        }
        let mut coder = Coder::default();
        let outputs = coder.code(&location);
        let scale_outputs = scale.as_ref().map(|side| coder.code(side)).unwrap_or_default();
        plan.offsets = [coder.offset(&location), scale.as_ref().and_then(|side| coder.offset(side))];
        let terms = |side: &Side, outputs: &[Vec<usize>]| side.names().zip(outputs.iter().map(Vec::len)).collect();
        plan.terms = [terms(&location, &outputs), scale.map(|side| terms(&side, &scale_outputs)).unwrap_or_default()];
        plan.steps = coder.steps;
        let (outputs, scale_outputs) = (outputs.concat(), scale_outputs.concat());
        let names = |outputs: &[usize]| outputs.iter().map(|&step| plan.steps[step].0.clone()).collect();
        plan.layout.terms = names(&outputs);
        if let Some(layout) = &mut plan.layout.scale {
            layout.terms = names(&scale_outputs);
        }
        (plan.outputs, plan.scale_outputs) = (outputs, scale_outputs);
    }
    Ok(plan)
}

/// Refuses more columns than there is room for.
pub(super) fn too_many(formula: &Formula, count: f64, most: usize) -> FormulaError {
    let message = format!(
        "the terms make {count} columns, and there is memory for {most}: leave out a term, above all an interaction of categories \
         with many levels, or join levels"
    );
    FormulaError::new(formula.text(), formula.terms.span, message)
}

/// What `.` stands for: all columns but those of the response, those that are absorbed, those of clusters, and but the weights of any kind and frequencies where
/// these are bare columns, which then say how much a row counts and not what explains it.
fn dot_columns(source: &Source) -> Vec<&str> {
    let mut taken: Vec<&str> = Vec::new();
    if let Some(response) = &source.formula.response {
        response.visit(&mut |node| {
            if let Syntax::Name(name) = &node.syntax {
                taken.push(name)
            }
        });
    }
    let drawn = source.sampling.as_ref().map(|sampling| &sampling.column);
    for expression in source.weights.iter().chain(&source.frequencies).chain(drawn) {
        if let Syntax::Name(name) = &expression.node.bare().syntax {
            taken.push(name);
        }
    }
    taken.extend(source.formula.effects());
    taken.extend(source.formula.clusters.iter().map(String::as_str));
    source.fields.iter().map(|field| field.name.as_str()).filter(|name| !taken.contains(name)).collect()
}

/// Compiles arithmetic on its own, for which nothing is learned; gives the columns it reads, too.
pub(super) fn compile_expression(
    expression: &Expression,
    fields: &[Field],
) -> Result<(Expr, Vec<Field>), FormulaError> {
    let mut compiler = Compiler::new(expression.text(), fields, None);
    let expr = compiler.number(&expression.node)?;
    Ok((expr, compiler.columns.iter().map(|&field| fields[field].clone()).collect()))
}

struct Compiler<'a> {
    text: &'a str,
    fields: &'a [Field],
    /// None where nothing may be learned: in the response and the weights.
    learned: Option<&'a Lessons>,
    /// Where each field stands, by its name.
    places: HashMap<&'a str, usize>,
    /// Places in `fields` of the columns that are read, and where each of these stands among them.
    columns: Vec<usize>,
    /// Places in `columns` of those of true and false that are calculated with.
    truths: Vec<usize>,
    known: HashMap<usize, usize>,
    categories: Vec<Category>,
    pending: Vec<Pending>,
    /// The names of what is pending.
    asked: HashSet<String>,
}

impl<'a> Compiler<'a> {
    fn new(text: &'a str, fields: &'a [Field], learned: Option<&'a Lessons>) -> Self {
        // Of two fields of one name the first counts.
        let places = fields.iter().enumerate().rev().map(|(place, field)| (field.name.as_str(), place)).collect();
        let (columns, known, truths) = (Vec::new(), HashMap::new(), Vec::new());
        let (categories, pending, asked) = (Vec::new(), Vec::new(), HashSet::new());
        Compiler { text, fields, learned, places, columns, truths, known, categories, pending, asked }
    }

    fn error(&self, span: Span, message: impl Into<String>) -> FormulaError {
        FormulaError::new(self.text, span, message)
    }

    /// Expands the terms of the location or of the scale, and finds their variables.
    fn side(&mut self, source: &Source, right: &Node) -> Result<Side, FormulaError> {
        let Terms { variables, terms, intercept, offsets } = expand(self.text, right, &dot_columns(source))?;
        if let Some(response) = &source.formula.response
            && let Some(again) = variables.iter().find(|x| x.to_string() == response.to_string())
        {
            return Err(self.error(again.span, format!("the response {response} cannot be a term as well")));
        }
        if terms.is_empty() && !source.formula.effects.is_empty() && std::ptr::eq(right, &source.formula.terms) {
            let message = "no term is left beside the absorbed effects, and these are never shown; name a term, or put the category \
                           among the terms, as in y ~ firm";
            return Err(self.error(right.span, message));
        }
        if terms.is_empty() && !intercept {
            let message = "neither an intercept nor a term is left; add a term, or leave out the 0";
            return Err(self.error(right.span, message));
        }
        let mut used = vec![false; variables.len()];
        terms.iter().flatten().for_each(|&variable| used[variable] = true);
        let resolve = |(variable, used): (&Node, bool)| {
            let resolved = match used {
                true => self.variable(variable)?,
                // Subtracted again: read nothing for it, but a misspelt name is still an error.
                false => self.check_names(variable).map(|()| Variable::Pending)?,
            };
            Ok((variable.to_string(), resolved))
        };
        let variables = variables.iter().zip(used).map(resolve).collect::<Result<_, FormulaError>>()?;
        let added = offsets.iter().map(|node| Ok((false, self.number(node)?)));
        let added = added.collect::<Result<Vec<_>, FormulaError>>()?;
        let name = offsets.iter().map(|node| format!("offset({})", node.bare())).collect::<Vec<_>>().join(" - ");
        let offset = (!added.is_empty()).then_some((name, Expr::Sum(added)));
        Ok(Side { variables, terms, intercept, offset })
    }

    /// The categories whose levels are absorbed; none yet whose levels are not known.
    fn effects(&mut self, source: &Source) -> Result<Vec<usize>, FormulaError> {
        let mut places = Vec::new();
        for node in &source.formula.effects {
            let Syntax::Name(name) = &node.syntax else { continue };
            let field = self.field(name, node.span)?;
            if source.formula.response.as_ref().is_some_and(|response| response.to_string() == node.to_string()) {
                return Err(self.error(node.span, format!("the response {name} cannot be absorbed as well")));
            }
            let (lesson, numeric) = (format!("{ABSORBED}{name}"), !self.fields[field].kind.is_category());
            let column = self.column(field);
            match self.lesson(&lesson) {
                Some(Learned::Levels(levels)) => {
                    let levels = levels.clone();
                    places.push(self.place(column, levels));
                }
                _ => self.pend(lesson, node.span, Lesson::Levels { column, numeric, most: MOST_ABSORBED }),
            }
        }
        Ok(places)
    }

    /// What the layout says of the categories that are absorbed.
    fn layout(&self, effects: &[usize]) -> Vec<EffectLayout> {
        let of_category = |&place: &usize| {
            let Category { column, levels, .. } = &self.categories[place];
            EffectLayout { name: self.fields[self.columns[*column]].name.clone(), levels: levels.len() }
        };
        effects.iter().map(of_category).collect()
    }

    /// Where a category of these levels stands, which may be new.
    fn place(&mut self, column: usize, levels: Arc<Levels>) -> usize {
        let known =
            self.categories.iter().position(|known| known.column == column && *known.levels == *levels && !known.open);
        known.unwrap_or_else(|| {
            self.categories.push(Category::new(column, levels));
            self.categories.len() - 1
        })
    }

    /// Asks for a lesson, once.
    fn pend(&mut self, name: String, span: Span, lesson: Lesson) {
        if self.asked.insert(name.clone()) {
            self.pending.push(Pending { name, text: self.text.to_owned(), span, lesson });
        }
    }

    fn field(&self, name: &str, span: Span) -> Result<usize, FormulaError> {
        let place = self.places.get(name).copied();
        place.ok_or_else(|| FormulaError::unknown_column(self.text, span, name, self.fields))
    }

    /// The column of clusters with this name, whatever it holds.
    fn cluster(&mut self, name: &str) -> Result<usize, FormulaError> {
        let expression = Expression::column(name);
        let place = self.places.get(name).copied();
        let unknown = || FormulaError::unknown_column(expression.text(), expression.node.span, name, self.fields);
        let field = place.ok_or_else(unknown)?;
        Ok(self.column(field))
    }

    fn column(&mut self, field: usize) -> usize {
        *self.known.entry(field).or_insert_with(|| {
            self.columns.push(field);
            self.columns.len() - 1
        })
    }

    fn check_names(&self, node: &Node) -> Result<(), FormulaError> {
        let mut names = Vec::new();
        node.visit(&mut |node| {
            if let Syntax::Name(name) = &node.syntax {
                names.push((name, node.span))
            }
        });
        names.into_iter().try_for_each(|(name, span)| self.field(name, span).map(|_| ()))
    }

    fn variable(&mut self, node: &Node) -> Result<Variable, FormulaError> {
        match &node.syntax {
            Syntax::Name(name) => {
                let field = self.field(name, node.span)?;
                match self.fields[field].kind.is_category() {
                    true => self.category(node, field, None, false),
                    false => Ok(Variable::Number(Expr::Column(self.column(field)))),
                }
            }
            Syntax::Call(call) if call.function == "C" => self.coded(node, call),
            Syntax::Call(call) if call.function == "poly" => self.polynomial(node, call),
            Syntax::Call(call) if matches!(call.function.as_str(), "bs" | "ns" | "cc") => self.spline(node, call),
            Syntax::Call(call) if call.function == "I" => match self.level(call)? {
                Some(level) => Ok(level),
                None => Ok(Variable::Number(self.number(node)?)),
            },
            _ => Ok(Variable::Number(self.number(node)?)),
        }
    }

    /// `C(x)`, `C(x, ref='level')`, `C(x, sum)`.
    fn coded(&mut self, node: &Node, call: &Call) -> Result<Variable, FormulaError> {
        let operand = call.operand().map_or(node, Node::bare);
        let Syntax::Name(name) = &operand.syntax else {
            return Err(self.error(operand.span, "C takes a column's name"));
        };
        let field = self.field(name, operand.span)?;
        let (mut sum, mut reference) = (false, None);
        for Argument { name, value } in call.arguments.iter().skip(1) {
            match (name.as_deref(), &value.syntax) {
                (None | Some("contrasts"), Syntax::Name(word)) if word == "sum" => sum = true,
                (None | Some("contrasts"), Syntax::Name(word)) if word == "treatment" => sum = false,
                (Some("ref"), Syntax::Text(_) | Syntax::Name(_) | Syntax::Number(_) | Syntax::Negate(_)) => {
                    reference = Some(Reference::new(value, self.text));
                }
                _ => {
                    let message = "C understands ref='level', sum and treatment, as in C(city, ref='Paris')";
                    return Err(self.error(value.span, message));
                }
            }
        }
        if self.fields[field].kind == Kind::Boolean {
            // R writes TRUE for the level true.
            reference = reference.map(|reference| Reference { text: reference.text.to_lowercase(), ..reference });
        }
        self.category(node, field, reference, sum)
    }

    fn category(
        &mut self,
        node: &Node,
        field: usize,
        reference: Option<Reference>,
        sum: bool,
    ) -> Result<Variable, FormulaError> {
        let (name, numeric) = (node.to_string(), !self.fields[field].kind.is_category());
        let column = self.column(field);
        let Some(Learned::Levels(levels)) = self.lesson(&name) else {
            self.pend(name, node.span, Lesson::Levels { column, numeric, most: MOST_LEVELS });
            return Ok(Variable::Pending);
        };
        let names = levels.names();
        let omitted = match reference {
            // R's choice: the first level of treatment coding, the last of sum coding.
            None if sum => names.len().saturating_sub(1),
            None => 0,
            Some(reference) => reference.place(levels, &names).ok_or_else(|| {
                let (level, known) = (&reference.text, list(names.iter().map(String::as_str)));
                let column = &self.fields[field].name;
                self.error(reference.span, format!("'{level}' is no level of {column}; its levels are {known}"))
            })?,
        };
        let levels = levels.clone();
        let place = self.place(column, levels);
        Ok(Variable::Category { place, names, omitted, sum })
    }

    /// `I(city == 'Paris')`: whether a column of text is one of its values.
    fn level(&mut self, call: &Call) -> Result<Option<Variable>, FormulaError> {
        let Some(Syntax::Compare(comparison, left, right)) = call.operand().map(|operand| &operand.bare().syntax)
        else {
            return Ok(None);
        };
        let (name, text) = match (&left.bare().syntax, &right.bare().syntax) {
            (Syntax::Name(name), Syntax::Text(text)) | (Syntax::Text(text), Syntax::Name(name)) => (name, text),
            _ => return Ok(None),
        };
        let span = left.span.to(right.span);
        let field = self.field(name, span)?;
        if self.fields[field].kind != Kind::Text {
            let kind = if self.fields[field].kind == Kind::Boolean { "true and false" } else { "numbers" };
            let message = format!("'{name}' holds {kind}, and is compared with a number, as in I({name} == 1)");
            return Err(self.error(span, message));
        }
        let equal = match comparison {
            Comparison::Equal => true,
            Comparison::NotEqual => false,
            _ => return Err(self.error(span, "texts are compared by == and != alone")),
        };
        let column = self.column(field);
        self.categories.push(Category::of_level(column, text.clone()));
        Ok(Some(Variable::Level { place: self.categories.len() - 1, equal }))
    }

    /// `bs(x, df=5, degree=2)`, `ns(x, knots=c(1, 2))`, `cc(x, 6, Boundary.knots=c(0, 24))`.
    fn spline(&mut self, node: &Node, call: &Call) -> Result<Variable, FormulaError> {
        let (mut df, mut degree, mut inner, mut bounds) = (None, None, None, None);
        for Argument { name, value } in call.arguments.iter().skip(1) {
            let whole = |least: f64, most: f64| match &value.syntax {
                Syntax::Number(number) if number.high.fract() == 0.0 && (least..=most).contains(&number.high) => {
                    Ok(number.high as usize)
                }
                _ => Err(self.error(value.span, format!("here stands a whole number from {least} to {most}"))),
            };
            match name.as_deref() {
                None | Some("df") if df.is_none() => df = Some((whole(1.0, 1000.0)?, value.span)),
                Some("degree") if call.function == "bs" => degree = Some(whole(1.0, 20.0)?),
                Some("knots") => inner = Some(self.list(value)?),
                Some("Boundary.knots") => match self.list(value)?[..] {
                    [low, high] if low < high => bounds = Some([low, high]),
                    _ => return Err(self.error(value.span, "the boundary is two numbers in ascending order, c(0, 10)")),
                },
                _ => {
                    let (function, degree) = (&call.function, if call.function == "bs" { ", degree" } else { "" });
                    let message =
                        format!("{function} takes df, knots{degree} and Boundary.knots, as in {function}(x, df=6)");
                    return Err(self.error(value.span, message));
                }
            }
        }
        let family = match call.function.as_str() {
            "bs" => Family::B { degree: degree.unwrap_or(3) },
            "ns" => Family::Natural,
            _ => Family::Cyclic,
        };
        if let Some(inner) = &mut inner {
            inner.sort_by(f64::total_cmp);
            if inner.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(self.error(node.span, "two knots are the same"));
            }
        }
        let implied = inner.as_ref().map(|inner| family.columns(inner.len()));
        let columns = match (df, implied) {
            (Some((df, span)), Some(implied)) if df != implied => {
                return Err(self.error(span, format!("these knots make {implied} columns, not {df}; leave out df")));
            }
            (Some((df, span)), _) => {
                if family.inner(df).is_none() {
                    let least = family.columns(0);
                    return Err(self.error(span, format!("such a spline has {least} columns or more")));
                }
                df
            }
            (None, Some(implied)) => implied,
            (None, None) => family.columns(0),
        };
        if columns == 0 {
            let message = "cc needs a number of columns, or knots, as in cc(x, df=6)";
            return Err(self.error(node.span, message));
        }
        let x = self.number(call.operand().unwrap_or(node))?;
        let asked = Asked { family, inner, columns, bounds };
        let name = node.to_string();
        let known = match self.lesson(&name) {
            Some(Learned::Spline(knots)) => Some(knots.clone()),
            _ => None,
        };
        match known {
            Some(knots) if knots.is_complete() => Ok(Variable::Splines { x, pieces: Arc::new(knots.pieces()) }),
            known => {
                self.pend(name, node.span, Lesson::Spline { x, asked, known });
                Ok(Variable::Pending)
            }
        }
    }

    /// The numbers of `c(1, 2)`, or one.
    fn list(&self, node: &Node) -> Result<Vec<f64>, FormulaError> {
        let number = |node: &Node| match &node.bare().syntax {
            Syntax::Number(number) => Some(number.high),
            Syntax::Negate(inner) => match &inner.bare().syntax {
                Syntax::Number(number) => Some(-number.high),
                _ => None,
            },
            _ => None,
        };
        let numbers = match &node.syntax {
            Syntax::Call(call) if call.function == LIST => {
                call.arguments.iter().map(|argument| number(&argument.value)).collect::<Option<Vec<f64>>>()
            }
            _ => number(node).map(|number| vec![number]),
        };
        numbers.ok_or_else(|| self.error(node.span, "here stand numbers, as in c(1, 2.5)"))
    }

    /// `poly(x, degree)` and `poly(x, degree, raw)`.
    fn polynomial(&mut self, node: &Node, call: &Call) -> Result<Variable, FormulaError> {
        let (mut raw, mut degree) = (false, None);
        for Argument { name, value } in call.arguments.iter().skip(1) {
            match (name.as_deref(), &value.syntax) {
                (None | Some("degree"), Syntax::Number(number)) if degree.is_none() => {
                    let whole = number.high.fract() == 0.0 && (1.0..=100.0).contains(&number.high);
                    let message = "the degree of a polynomial is a whole number from 1 to 100";
                    degree =
                        Some(if whole { number.high as usize } else { return Err(self.error(value.span, message)) });
                }
                (None, Syntax::Name(word)) if word == "raw" => raw = true,
                (Some("raw"), Syntax::Name(word)) => raw = is_true(word),
                _ => {
                    let message = "poly takes a degree and the word raw, as in poly(x, 3) or poly(x, 3, raw)";
                    return Err(self.error(value.span, message));
                }
            }
        }
        let degree = degree.ok_or_else(|| self.error(node.span, "poly needs a degree, as in poly(x, 3)"))?;
        let x = self.number(call.operand().unwrap_or(node))?;
        if raw {
            return Ok(Variable::Powers { x, degree });
        }
        let name = node.to_string();
        let known = match self.lesson(&name) {
            Some(Learned::Polynomial(basis)) => Some(basis.clone()),
            _ => None,
        };
        match known {
            Some(basis) if basis.spreads.len() > degree && basis.centres.len() >= degree => {
                Ok(Variable::Orthogonal { x, degree, basis })
            }
            known => {
                self.pend(name, node.span, Lesson::Polynomial { x, degree, known });
                Ok(Variable::Pending)
            }
        }
    }

    fn lesson(&self, name: &str) -> Option<&Learned> {
        self.learned.and_then(|learned| learned.get(name))
    }

    /// Arithmetic on columns of numbers.
    fn number(&mut self, node: &Node) -> Result<Expr, FormulaError> {
        Ok(match &node.syntax {
            Syntax::Number(number) => Expr::Constant(*number),
            Syntax::Name(name) => {
                let field = self.field(name, node.span)?;
                // True is one, false is zero.
                if self.fields[field].kind == Kind::Text {
                    return Err(self.error(node.span, format!("'{name}' holds text, and numbers are needed here")));
                }
                let column = self.column(field);
                if self.fields[field].kind == Kind::Boolean && !self.truths.contains(&column) {
                    self.truths.push(column);
                }
                Expr::Column(column)
            }
            Syntax::Parentheses(inner) => self.number(inner)?,
            Syntax::Negate(inner) => Expr::Negate(Box::new(self.number(inner)?)),
            Syntax::Sum(terms) => {
                let terms = terms.iter().map(|(minus, term)| Ok((*minus, self.number(term)?)));
                Expr::Sum(terms.collect::<Result<_, FormulaError>>()?)
            }
            Syntax::Binary(operator, left, right) => self.binary(node, *operator, left, right)?,
            Syntax::Compare(comparison, left, right) => {
                if let (Syntax::Text(_), _) | (_, Syntax::Text(_)) = (&left.bare().syntax, &right.bare().syntax) {
                    let message = "a column of text is compared with one of its values in an I() of its own, as in I(city == 'Paris')";
                    return Err(self.error(node.span, message));
                }
                Expr::Compare(*comparison, Box::new(self.number(left)?), Box::new(self.number(right)?))
            }
            Syntax::Call(call) => self.call(node, call)?,
            Syntax::Text(_) => return Err(self.error(node.span, "a text cannot be calculated with")),
            Syntax::Dot => return Err(self.error(node.span, "'.' stands for columns as terms, not within arithmetic")),
        })
    }

    fn binary(&mut self, node: &Node, operator: Operator, left: &Node, right: &Node) -> Result<Expr, FormulaError> {
        if matches!(operator, Operator::Colon | Operator::In) {
            let message = "an interaction cannot stand within arithmetic; write * for a product";
            return Err(self.error(node.span, message));
        }
        let a = Box::new(self.number(left)?);
        let b = Box::new(self.number(right)?);
        Ok(match (operator, whole_number(right)) {
            (Operator::Power, Some(exponent)) => Expr::IntegerPower(a, exponent),
            (Operator::Power, None) => Expr::Power(a, b),
            (Operator::Over, _) => Expr::Quotient(a, b),
            _ => Expr::Product(a, b),
        })
    }

    fn call(&mut self, node: &Node, call: &Call) -> Result<Expr, FormulaError> {
        let operand = call.operand().unwrap_or(node);
        if let Some(function) = call.arithmetic() {
            return Ok(Expr::Apply(function, Box::new(self.number(operand)?)));
        }
        match call.function.as_str() {
            "I" => self.number(operand),
            "center" | "scale" => {
                if self.learned.is_none() {
                    let message = format!("{} can only stand in the terms", call.function);
                    return Err(self.error(node.span, message));
                }
                let (name, scaled) = (node.to_string(), call.function == "scale");
                let x = self.number(operand)?;
                if let Some(&Learned::Moments { mean, deviation }) = self.lesson(&name) {
                    let deviation = scaled.then(|| deviation.into());
                    return Ok(Expr::Standardise { x: Box::new(x), mean: mean.into(), deviation });
                }
                self.pend(name, node.span, Lesson::Moments { x, scaled });
                Ok(Expr::Unlearned)
            }
            LIST => Err(self.error(node.span, "c() lists numbers for an argument, as in bs(x, knots=c(1, 2))")),
            function => {
                let message = format!("{function} makes terms; it cannot stand within arithmetic or in the response");
                Err(self.error(node.span, message))
            }
        }
    }

    fn response(&mut self, node: &Node) -> Result<Expr, FormulaError> {
        if let Syntax::Name(name) = &node.bare().syntax {
            let field = self.field(name, node.span)?;
            let kind = self.fields[field].kind;
            if kind.is_category() {
                let holds = if kind == Kind::Boolean { "true and false" } else { "text" };
                let numbers = self.fields.iter().filter(|field| !field.kind.is_category());
                let numbers = list(numbers.map(|field| field.name.as_str()));
                let numbers = match numbers.is_empty() {
                    true => "no column holds numbers".to_owned(),
                    false => format!("columns of numbers are {numbers}"),
                };
                let message = match kind {
                    Kind::Boolean => format!(
                        "the response must be numbers, and '{name}' holds {holds}; I({name}) is 1 where it is true, 0 where it is \
                         false; {numbers}"
                    ),
                    _ => format!("the response must be numbers, and '{name}' holds {holds}; {numbers}"),
                };
                return Err(self.error(node.span, message));
            }
        }
        let expr = self.number(node)?;
        let mut compares = false;
        expr.visit(&mut |part| compares |= matches!(part, Expr::Compare(..)));
        if compares {
            return Err(self
                .error(node.span, "the response is a number that varies; a comparison has the values 0 and 1 alone"));
        }
        match expr.columns().len() {
            1 => Ok(expr),
            count => {
                let message = format!("a transformed response is a function of one column; this reads {count}");
                Err(self.error(node.span, message))
            }
        }
    }

    /// Weights and frequencies, whose text is their own.
    fn extra(&mut self, expression: Option<&'a Expression>) -> Result<Option<(String, Expr)>, FormulaError> {
        let Some(expression) = expression else { return Ok(None) };
        let before = (std::mem::replace(&mut self.text, expression.text()), self.learned.take());
        let expr = self.number(&expression.node);
        (self.text, self.learned) = before;
        Ok(Some((expression.node.to_string(), expr?)))
    }
}

/// An exponent such as `2` or `-1`, for which powers are products.
fn whole_number(node: &Node) -> Option<i32> {
    match &node.bare().syntax {
        Syntax::Number(number) if number.high.fract() == 0.0 && number.high <= 1000.0 => Some(number.high as i32),
        Syntax::Negate(inner) => whole_number(inner).map(|exponent| -exponent),
        _ => None,
    }
}
