//! Designs whose largest category is kept as codes.

use noisefit_core::rows::{CodedCategory, EffectLayout};

use super::design::Design;
use super::plan::{Plan, Step};

/// A category with fewer columns costs as little by columns.
const LEAST_COLUMNS: usize = 64;

impl Design {
    /// The same design with the largest category that is a term of its own as codes, an effect in place of its columns and the intercept;
    /// and where these columns stand among those of this design. None where no such category has 64 columns, is coded by contrasts with a reference
    /// level beside an intercept, or where something is absorbed or the scale is modelled.
    ///
    /// It makes blocks of the same rows, and is no design to be stored.
    pub fn by_codes(&self) -> Option<(Design, CodedCategory)> {
        let plan = &*self.plan;
        if !plan.layout.intercept || plan.layout.scale.is_some() || !plan.effects.is_empty() {
            return None;
        }
        let mut first = 0;
        let mut largest: Option<(usize, CodedCategory, &str)> = None;
        for (name, count) in &plan.terms[0] {
            let outputs = &plan.outputs[first..first + count];
            if *count >= LEAST_COLUMNS
                && largest.as_ref().is_none_or(|(_, known, _)| known.columns().len() < *count)
                && let Some((place, omitted)) = plan.contrasts(outputs)
            {
                let category = CodedCategory { first, levels: count + 1, omitted: Some(omitted) };
                largest = Some((place, category, name));
            }
            first += count;
        }
        let (place, category, name) = largest?;
        let mut coded = plan.clone();
        coded.outputs.drain(category.columns());
        coded.layout.terms.drain(category.columns());
        coded.layout.intercept = false;
        coded.layout.effects = vec![EffectLayout { name: name.to_owned(), levels: category.levels }];
        coded.effects = vec![place];
        coded.keep_used_steps();
        Some((self.with_plan(coded), category))
    }

    /// Whether it is one that [`Design::by_codes`] made.
    pub(super) fn is_by_codes(&self) -> bool {
        self.source.formula.effects.is_empty() && !self.plan.effects.is_empty()
    }
}

impl Design {
    /// The terms of the location whose coefficients are those of the levels of categories: their names, and where their columns stand.
    pub fn terms_of_levels(&self) -> Vec<(&str, std::ops::Range<usize>)> {
        let (plan, mut first) = (&*self.plan, 0);
        let mut found = Vec::new();
        for (name, count) in &plan.terms[0] {
            let columns = first..first + count;
            if plan.outputs[columns.clone()].iter().all(|&step| plan.is_of_level(step)) && *count > 0 {
                found.push((name.as_str(), columns));
            }
            first += count;
        }
        found
    }
}

impl Plan {
    /// Whether a column is one of a level of a category, or of several at once.
    fn is_of_level(&self, step: usize) -> bool {
        match self.steps[step].1 {
            Step::Indicator { .. } | Step::Contrast { .. } => true,
            Step::Product(a, b) => self.is_of_level(a) && self.is_of_level(b),
            _ => false,
        }
    }

    /// The category whose contrasts with one level some steps are, in the order of its levels, and that level.
    fn contrasts(&self, outputs: &[usize]) -> Option<(usize, usize)> {
        let level_of = |step: &usize| match self.steps[*step].1 {
            Step::Indicator { category, level } => Some((category, level as usize)),
            _ => None,
        };
        let (place, _) = level_of(outputs.first()?)?;
        let levels: Vec<usize> = outputs
            .iter()
            .map(|step| level_of(step).filter(|(category, _)| *category == place).map(|(_, level)| level))
            .collect::<Option<_>>()?;
        let omitted = levels.iter().enumerate().position(|(k, level)| k != *level).unwrap_or(levels.len());
        let expected = (0..=levels.len()).filter(|level| *level != omitted);
        let whole = self.categories[place].levels.len() == levels.len() + 1;
        (whole && levels.iter().copied().eq(expected)).then_some((place, omitted))
    }

    /// Leaves out the steps that no column needs.
    fn keep_used_steps(&mut self) {
        let mut used = vec![false; self.steps.len()];
        let outputs = self.outputs.iter().chain(&self.scale_outputs).chain(self.offsets.iter().flatten());
        outputs.for_each(|&step| used[step] = true);
        // Steps refer to earlier ones.
        for step in (0..self.steps.len()).rev().filter(|&step| used[step]).collect::<Vec<_>>() {
            mark(&self.steps, step, &mut used);
        }
        let mut places = vec![0; self.steps.len()];
        let mut kept = 0;
        for (place, used) in places.iter_mut().zip(&used) {
            *place = kept;
            kept += usize::from(*used);
        }
        let steps = std::mem::take(&mut self.steps).into_iter().zip(used).filter(|(_, used)| *used);
        self.steps = steps.map(|((name, step), _)| (name, moved(step, &places))).collect();
        let places_of_columns = self.outputs.iter_mut().chain(&mut self.scale_outputs);
        places_of_columns.chain(self.offsets.iter_mut().flatten()).for_each(|step| *step = places[*step]);
    }
}

/// Marks what a step needs.
fn mark(steps: &[(String, Step)], step: usize, used: &mut [bool]) {
    used[step] = true;
    match steps[step].1 {
        Step::Product(a, b) => [a, b].iter().for_each(|&before| mark(steps, before, used)),
        Step::Orthogonal { x, last, before, .. } => {
            [x, last, before].iter().for_each(|&before| mark(steps, before, used))
        }
        Step::Spline { x, .. } => mark(steps, x, used),
        Step::Number(_) | Step::Indicator { .. } | Step::Contrast { .. } | Step::Matches { .. } => {}
    }
}

/// A step that refers to others by their new places.
fn moved(step: Step, places: &[usize]) -> Step {
    match step {
        Step::Product(a, b) => Step::Product(places[a], places[b]),
        Step::Spline { x, pieces, column } => Step::Spline { x: places[x], pieces, column },
        Step::Orthogonal { x, last, before, recurrence } => {
            Step::Orthogonal { x: places[x], last: places[last], before: places[before], recurrence }
        }
        Step::Number(_) | Step::Indicator { .. } | Step::Contrast { .. } | Step::Matches { .. } => step,
    }
}
