//! Ordinary least squares on a matrix in memory.

use std::error::Error;
use std::path::Path;

use anofox_regression::faer::{Col, Mat};
use anofox_regression::prelude::{FittedRegressor, OlsRegressor, Regressor};
use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, ShapeBuilder};
use noisefit_core::algebra::Settings;
use noisefit_core::estimate::{Options, closed_form};
use noisefit_core::rows::{Matrix, MemoryRows};

use crate::protocol::{numbers, repeat};
use crate::threads;

/// A response and a design matrix without its intercept.
pub struct Problem {
    design: Vec<f64>,
    response: Vec<f64>,
    rows: usize,
    columns: usize,
    by_row: bool,
}

impl Problem {
    /// Reads `x.f64` (row-major doubles) and `y.f64`, and stores the matrix in the layout wanted.
    pub fn load(folder: &Path, layout: &str, rows: usize, columns: usize) -> Result<Self, Box<dyn Error>> {
        let by_row = match layout {
            "rows" => true,
            "columns" => false,
            other => return Err(format!("layout '{other}': rows or columns").into()),
        };
        let mut design = numbers(&folder.join("x.f64"), rows * columns, f64::from_le_bytes)?;
        if !by_row {
            design = transposed(&design, columns);
        }
        let response = numbers(&folder.join("y.f64"), rows, f64::from_le_bytes)?;
        Ok(Problem { design, response, rows, columns, by_row })
    }

    /// Serves one library.
    pub fn run(self, library: &str) -> Result<(), Box<dyn Error>> {
        match library {
            "noisefit" => self.noisefit(false),
            "noisefit, one pass" => self.noisefit(true),
            "one read" => repeat(|| Ok(vec![("sum", vec![parallel_sum(&self.design, threads())])])),
            "linfa" => self.linfa(),
            "anofox-regression" => self.anofox(),
            other => Err(format!("no library '{other}' here").into()),
        }
    }

    fn noisefit(self, one_pass: bool) -> Result<(), Box<dyn Error>> {
        let layout = if self.by_row { Matrix::row_major } else { Matrix::column_major };
        let design = layout(&self.design, self.rows, self.columns)?;
        let rows = MemoryRows::new(&self.response, design)?.with_threads(threads());
        let settings = Settings { one_pass, ..Settings::default() };
        let options = Options { settings, ..Options::default() };
        repeat(|| {
            let fit = closed_form::fit(&rows, &options)?;
            Ok(vec![
                ("coefficients", fit.coef().into_iter().flatten().collect()),
                ("std_errors", fit.std_errors().into_iter().flatten().collect()),
            ])
        })
    }

    fn linfa(self) -> Result<(), Box<dyn Error>> {
        let shape = (self.rows, self.columns);
        let shape = shape.set_f(!self.by_row);
        let data = Dataset::new(Array2::from_shape_vec(shape, self.design)?, Array1::from_vec(self.response));
        repeat(|| {
            let model = LinearRegression::new().fit(&data)?;
            Ok(vec![("coefficients", [&[model.intercept()], model.params().as_slice().unwrap_or(&[])].concat())])
        })
    }

    /// Its matrices are column-major, whatever the layout asked for.
    fn anofox(self) -> Result<(), Box<dyn Error>> {
        let (row_step, column_step) = if self.by_row { (self.columns, 1) } else { (1, self.rows) };
        let design = Mat::from_fn(self.rows, self.columns, |i, j| self.design[i * row_step + j * column_step]);
        let response = Col::from_fn(self.rows, |i| self.response[i]);
        let regressor = OlsRegressor::builder().with_intercept(true).compute_inference(true).build();
        repeat(|| {
            let fitted = regressor.fit(&design, &response)?;
            let result = fitted.result();
            let slopes = result.coefficients.iter().copied();
            let errors = result.std_errors.iter().flat_map(|errors| errors.iter().copied());
            Ok(vec![
                ("coefficients", result.intercept.into_iter().chain(slopes).collect()),
                ("std_errors", result.intercept_std_error.into_iter().chain(errors).collect()),
            ])
        })
    }
}

/// The sum of all values, as fast as memory delivers them: the least that any fit can take.
fn parallel_sum(values: &[f64], threads: usize) -> f64 {
    const LANES: usize = 16;
    let sum = |part: &[f64]| {
        let mut lanes = [0.0; LANES];
        let (chunks, rest) = part.as_chunks::<LANES>();
        for chunk in chunks {
            for (lane, value) in lanes.iter_mut().zip(chunk) {
                *lane += value;
            }
        }
        lanes.iter().chain(rest).sum::<f64>()
    };
    std::thread::scope(|scope| {
        let parts = values.chunks(values.len().div_ceil(threads).max(1));
        let workers: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(f64::NAN)).sum()
    })
}

fn transposed(values: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|j| values.iter().skip(j).step_by(columns).copied()).collect()
}
