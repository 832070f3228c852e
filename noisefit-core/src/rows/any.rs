//! Any source of rows behind one type.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;
use crate::rows::{Accumulator, Block, Layout, Precision, RowBlock, RowSource, StateReader, StateWriter};

/// A source of whatever kind.
///
/// Estimators are compiled for this one type, and not again for each source and each combination of adaptors. A pass costs
/// two locks a block more, that nobody waits for.
#[derive(Clone, Copy)]
pub(crate) struct AnyRows<'a> {
    source: &'a dyn Source,
}

impl<'a> AnyRows<'a> {
    pub(crate) fn new<S: RowSource>(source: &'a S) -> Self {
        AnyRows { source }
    }
}

impl std::fmt::Debug for AnyRows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyRows").field("layout", self.source.layout()).finish_non_exhaustive()
    }
}

impl RowSource for AnyRows<'_> {
    fn layout(&self) -> &Layout {
        self.source.layout()
    }

    fn pass<A: Accumulator>(&self, empty: A) -> Result<A, Error> {
        let states = States::new(empty.clone());
        let number = self.source.run(&states)?;
        Ok(states.take(number).unwrap_or(empty))
    }

    fn threads(&self) -> usize {
        self.source.threads()
    }

    fn rows_hint(&self) -> Option<u64> {
        self.source.rows_hint()
    }

    fn report(&self, done: u64, of: u64) -> Result<(), Error> {
        self.source.report(done, of)
    }
}

/// A source as a trait object.
trait Source {
    fn layout(&self) -> &Layout;
    /// Runs a pass; gives the number of its state.
    fn run(&self, pass: &dyn Pass) -> Result<u64, Error>;
    fn threads(&self) -> usize;
    fn rows_hint(&self) -> Option<u64>;
    fn report(&self, done: u64, of: u64) -> Result<(), Error>;
}

impl<S: RowSource> Source for S {
    fn layout(&self) -> &Layout {
        RowSource::layout(self)
    }

    fn run(&self, pass: &dyn Pass) -> Result<u64, Error> {
        let state = self.pass(Numbered { pass, number: 0 })?;
        let number = state.number;
        // What was found outlives its number.
        std::mem::forget(state);
        Ok(number)
    }

    fn threads(&self) -> usize {
        RowSource::threads(self)
    }

    fn rows_hint(&self) -> Option<u64> {
        RowSource::rows_hint(self)
    }

    fn report(&self, done: u64, of: u64) -> Result<(), Error> {
        RowSource::report(self, done, of)
    }
}

/// A pass as a trait object: its states go by numbers. Number 0 is the empty one.
trait Pass: Sync {
    fn clone_of(&self, number: u64) -> u64;
    fn fold(&self, number: u64, block: &Block<'_>);
    fn fold_rows(&self, number: u64, rows: &RowBlock<'_>) -> bool;
    /// Merges the state `later`, which is used up.
    fn merge(&self, number: u64, later: u64);
    fn rows(&self, number: u64) -> u64;
    fn precision(&self) -> Precision;
    fn parameters(&self) -> u64;
    fn size_in_bytes(&self, number: u64) -> usize;
    fn write(&self, number: u64, writer: &mut StateWriter);
    fn read(&self, number: u64, reader: &mut StateReader<'_>) -> Result<(), Error>;
    fn drop_state(&self, number: u64);
}

/// The next number, and the states by their numbers.
type Register<A> = (u64, BTreeMap<u64, Arc<Mutex<A>>>);

/// The states of a pass.
struct States<A> {
    empty: A,
    numbered: Mutex<Register<A>>,
}

impl<A: Accumulator> States<A> {
    fn new(empty: A) -> Self {
        let numbered = BTreeMap::from([(0, Arc::new(Mutex::new(empty.clone())))]);
        States { empty, numbered: Mutex::new((1, numbered)) }
    }

    fn with<T>(&self, number: u64, work: impl FnOnce(&mut A) -> T) -> Option<T> {
        let state = lock(&self.numbered).1.get(&number).cloned()?;
        let mut state = lock(&state);
        Some(work(&mut state))
    }

    fn take(&self, number: u64) -> Option<A> {
        let state = lock(&self.numbered).1.remove(&number)?;
        let state = Arc::into_inner(state)?;
        Some(state.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A poisoned lock means that another thread panicked; its panic is what the caller sees.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<A: Accumulator> Pass for States<A> {
    fn clone_of(&self, number: u64) -> u64 {
        let copy = self.with(number, |state| state.clone()).unwrap_or_else(|| self.empty.clone());
        let (next, states) = &mut *lock(&self.numbered);
        states.insert(*next, Arc::new(Mutex::new(copy)));
        *next += 1;
        *next - 1
    }

    fn fold(&self, number: u64, block: &Block<'_>) {
        self.with(number, |state| state.fold(block));
    }

    fn fold_rows(&self, number: u64, rows: &RowBlock<'_>) -> bool {
        self.with(number, |state| state.fold_rows(rows)).unwrap_or(false)
    }

    fn merge(&self, number: u64, later: u64) {
        if let Some(later) = self.take(later) {
            self.with(number, |state| state.merge(later));
        }
    }

    fn rows(&self, number: u64) -> u64 {
        self.with(number, |state| state.rows()).unwrap_or(0)
    }

    fn precision(&self) -> Precision {
        self.empty.precision()
    }

    fn parameters(&self) -> u64 {
        self.empty.parameters()
    }

    fn size_in_bytes(&self, number: u64) -> usize {
        self.with(number, |state| state.size_in_bytes()).unwrap_or(0)
    }

    fn write(&self, number: u64, writer: &mut StateWriter) {
        self.with(number, |state| state.write(writer));
    }

    fn read(&self, number: u64, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.with(number, |state| state.read(reader)).unwrap_or(Ok(()))
    }

    fn drop_state(&self, number: u64) {
        lock(&self.numbered).1.remove(&number);
    }
}

/// A state of a pass, by its number.
struct Numbered<'a> {
    pass: &'a dyn Pass,
    number: u64,
}

impl Clone for Numbered<'_> {
    fn clone(&self) -> Self {
        Numbered { pass: self.pass, number: self.pass.clone_of(self.number) }
    }
}

impl Drop for Numbered<'_> {
    fn drop(&mut self) {
        self.pass.drop_state(self.number);
    }
}

impl Accumulator for Numbered<'_> {
    const KIND: &'static str = "any";

    fn fold(&mut self, block: &Block<'_>) {
        self.pass.fold(self.number, block);
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        self.pass.fold_rows(self.number, rows)
    }

    fn merge(&mut self, later: Self) {
        self.pass.merge(self.number, later.number);
    }

    fn rows(&self) -> u64 {
        self.pass.rows(self.number)
    }

    fn precision(&self) -> Precision {
        self.pass.precision()
    }

    fn parameters(&self) -> u64 {
        self.pass.parameters()
    }

    fn size_in_bytes(&self) -> usize {
        self.pass.size_in_bytes(self.number)
    }

    fn write(&self, writer: &mut StateWriter) {
        self.pass.write(self.number, writer);
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.pass.read(self.number, reader)
    }
}
