//! What follows from a formula and a table's fields: which columns are read, what must still be learned, and the steps that
//! make the design's columns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::Layout;

use super::error::{FormulaError, Span};
use super::expression::Expr;
use super::learned::{Integer, Learned, Levels, Polynomial};
use super::lookup::Lookup;
use super::scope::Scope;
use super::spline::{Asked, Knots, Pieces};
use crate::frame::Field;

/// What was learned so far, by the variables' names.
pub(super) type Lessons = BTreeMap<String, Learned>;

/// What to compute, in which order, from which columns.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The fields that are read: first those of the design and the scale, then those of the response, the weights, the
    /// frequencies, the clusters.
    pub columns: Vec<Field>,
    /// Places among the columns of those of true and false that are calculated with, as ones and zeros.
    pub truths: Vec<usize>,
    /// How many of [`Plan::columns`] each scope needs.
    pub scopes: [usize; 3],
    pub layout: Layout,
    pub categories: Vec<Category>,
    /// Places among the categories of those whose levels are absorbed.
    pub effects: Vec<usize>,
    /// Steps that later steps and the outputs refer to by place.
    pub steps: Vec<(String, Step)>,
    /// The steps that are the design's columns.
    pub outputs: Vec<usize>,
    /// The steps that are the columns of the scale.
    pub scale_outputs: Vec<usize>,
    /// The steps that are the offsets of the location and of the logarithm of the scale.
    pub offsets: [Option<usize>; 2],
    /// The terms of the location, and those of the scale, with the number of their columns.
    pub terms: [Vec<(String, usize)>; 2],
    pub response: Option<Expr>,
    pub weights: Option<(String, Expr)>,
    pub frequencies: Option<(String, Expr)>,
    /// Where the frequencies are sampling weights, what they are divided by.
    pub sampling: Option<f64>,
    /// Places among the columns of those that say which rows belong together.
    pub clusters: Vec<usize>,
    /// What a pass over the rows must tell before there are steps.
    pub pending: Vec<Pending>,
}

impl Plan {
    pub fn scope(&self, scope: Scope) -> usize {
        self.scopes[scope as usize]
    }
}

/// A category whose levels are known.
#[derive(Debug, Clone)]
pub(super) struct Category {
    pub column: usize,
    pub levels: Arc<Levels>,
    /// Whether other levels are as good, as where it is only asked whether a row has the one that is known.
    pub open: bool,
    lookup: Lookup,
    /// What tells these levels from others that there are or were.
    identity: u64,
}

/// How many categories were made.
static CATEGORIES: AtomicU64 = AtomicU64::new(0);

impl Category {
    pub fn new(column: usize, levels: Arc<Levels>) -> Self {
        let identity = CATEGORIES.fetch_add(1, Ordering::Relaxed);
        Category { column, lookup: Lookup::new(&levels), levels, open: false, identity }
    }

    /// A category of one level that is asked for, beside any others.
    pub fn of_level(column: usize, level: String) -> Self {
        Category { open: true, ..Category::new(column, Arc::new(Levels::Texts(vec![level]))) }
    }

    /// What tells its levels from those of categories that were made by themselves.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// The code of a text, where it is a level.
    pub fn text(&self, text: &str) -> Option<u32> {
        self.lookup.text(&self.levels, text)
    }

    /// The code of a number, where it is a level.
    #[inline]
    pub fn number(&self, number: Integer) -> Option<u32> {
        self.lookup.number(&self.levels, number)
    }
}

/// How one column comes about; numbers of other columns are places in [`Plan::steps`].
#[derive(Debug, Clone)]
pub(super) enum Step {
    Number(Expr),
    Product(usize, usize),
    /// 1 where the category has the level, else 0.
    Indicator {
        category: usize,
        level: u32,
    },
    /// 1 where it has the level, -1 where it has the omitted one, else 0.
    Contrast {
        category: usize,
        level: u32,
        omitted: u32,
    },
    /// 1 where the only level that is known is, or is not, the row's, else 0.
    Matches {
        category: usize,
        equal: bool,
    },
    /// A column of splines in `x`.
    Spline {
        x: usize,
        pieces: Arc<Pieces>,
        column: usize,
    },
    /// The orthonormal polynomial in `x` after `last` and `before`.
    Orthogonal {
        x: usize,
        last: usize,
        before: usize,
        recurrence: Recurrence,
    },
}

/// `q = ((x - centre) last - spread_before before) per_spread`, where `per_spread` is one over the spread: see
/// [`Polynomial`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Recurrence {
    pub centre: DoubleDouble,
    pub spread_before: DoubleDouble,
    pub per_spread: DoubleDouble,
}

/// What the names of effects begin with among those of lessons: the same column among the terms may have fewer levels.
pub(super) const ABSORBED: &str = "| ";

/// A thing to learn, and from what.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub name: String,
    /// The formula in which it stands.
    pub text: String,
    pub span: Span,
    pub lesson: Lesson,
}

impl Pending {
    /// What messages call it.
    pub fn shown(&self) -> &str {
        self.name.strip_prefix(ABSORBED).unwrap_or(&self.name)
    }

    /// The error that points at it.
    pub fn refuse(&self, message: String) -> FormulaError {
        FormulaError::new(&self.text, self.span, message)
    }
}

#[derive(Debug, Clone)]
pub(super) enum Lesson {
    /// Up to so many.
    Levels {
        column: usize,
        numeric: bool,
        most: usize,
    },
    Moments {
        x: Expr,
        scaled: bool,
    },
    Polynomial {
        x: Expr,
        degree: usize,
        known: Option<Polynomial>,
    },
    Spline {
        x: Expr,
        asked: Asked,
        known: Option<Knots>,
    },
}
