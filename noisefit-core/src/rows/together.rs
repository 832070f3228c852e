//! Several passes over the same rows at once.

use crate::Error;
use crate::rows::block::{Block, RowBlock};
use crate::rows::codec::{put, take};
use crate::rows::kinds::Reader;
use crate::rows::pass::{Pass, downcast, expect};
use crate::rows::precision::Precision;
use crate::rows::request::Request;

impl<A: Request, B: Request> Request for (A, B) {
    fn into_pass(self) -> Box<dyn Pass> {
        Box::new(Together(vec![self.0.into_pass(), self.1.into_pass()]))
    }

    fn from_pass(pass: Box<dyn Pass>) -> Result<Self, Error> {
        let mut passes = downcast::<Together>(pass)?.0.into_iter();
        match (passes.next(), passes.next()) {
            (Some(a), Some(b)) => Ok((A::from_pass(a)?, B::from_pass(b)?)),
            _ => Err(Error::State("two passes were run, and there are not two states".to_owned())),
        }
    }
}

impl<R: Request> Request for Vec<R> {
    fn into_pass(self) -> Box<dyn Pass> {
        Box::new(Together(self.into_iter().map(R::into_pass).collect()))
    }

    fn from_pass(pass: Box<dyn Pass>) -> Result<Self, Error> {
        downcast::<Together>(pass)?.0.into_iter().map(R::from_pass).collect()
    }
}

/// Passes that each see every row.
pub(super) struct Together(Vec<Box<dyn Pass>>);

impl Together {
    pub(super) const KIND: &'static str = "together";

    /// From bytes, its name being read.
    pub(super) fn decode(reader: &mut Reader<'_, '_>) -> Result<Box<dyn Pass>, Error> {
        let count: usize = take(reader.bytes)?;
        let passes = (0..count).map(|_| reader.pass()).collect::<Result<_, _>>()?;
        Ok(Box::new(Together(passes)))
    }
}

impl Pass for Together {
    fn kind(&self) -> String {
        let kinds: Vec<String> = self.0.iter().map(|pass| pass.kind()).collect();
        format!("{}({})", Self::KIND, kinds.join(", "))
    }

    fn begin(&mut self, rows_before: u64) {
        self.0.iter_mut().for_each(|pass| pass.begin(rows_before));
    }

    fn needs_place(&self) -> bool {
        self.0.iter().any(|pass| pass.needs_place())
    }

    fn fold(&mut self, block: &Block<'_>) {
        self.0.iter_mut().for_each(|pass| pass.fold(block));
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        let Some((first, others)) = self.0.split_first_mut() else { return false };
        if !first.fold_rows(rows) {
            return false;
        }
        for pass in others {
            // The first has them already.
            if !pass.fold_rows(rows) {
                rows.by_columns(|block| pass.fold(block));
            }
        }
        true
    }

    fn merge(&mut self, later: Box<dyn Pass>) -> Result<(), Error> {
        let later = downcast::<Together>(later)?;
        self.0.iter_mut().zip(later.0).try_for_each(|(pass, later)| pass.merge(later))
    }

    fn rows(&self) -> u64 {
        self.0.first().map_or(0, |pass| pass.rows())
    }

    fn precision(&self) -> Precision {
        let more = self.0.iter().map(|pass| pass.precision()).find(|precision| *precision != Precision::Double);
        more.unwrap_or(Precision::Double)
    }

    fn clone_box(&self) -> Box<dyn Pass> {
        Box::new(Together(self.0.iter().map(|pass| pass.clone_box()).collect()))
    }

    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        put(&Self::KIND, bytes)?;
        put(&self.0.len(), bytes)?;
        self.0.iter().try_for_each(|pass| pass.write(bytes))
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<Box<dyn Pass>, Error> {
        expect(Self::KIND, bytes)?;
        let count: usize = take(bytes)?;
        if count != self.0.len() {
            return Err(Error::State(format!("it is of {count} passes together, not of {}", self.0.len())));
        }
        Ok(Box::new(Together(self.0.iter().map(|pass| pass.read(bytes)).collect::<Result<_, _>>()?)))
    }
}
