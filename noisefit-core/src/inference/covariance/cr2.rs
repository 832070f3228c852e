//! Few clusters: residuals made as large as the noise of independent rows, and degrees of freedom for every coefficient.

use faer::{Mat, Side};

use crate::Error;
use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::inference::covariance::by_cluster::{ByCluster, OfCluster};
use crate::inference::covariance::contract::{Covariance, Kind, Request};
use crate::inference::covariance::least_squares::distance;
use crate::inference::covariance::parts::Estimated;
use crate::inference::covariance::products::Clustered;
use crate::inference::covariance::whitened::whitened;
use crate::record::{FTest, Reference, Warning};
use crate::rows::{Kinds, RowSourceExt};

/// `cr2:COLUMN`: the sum over clusters of `S S'` with the scores `S = X' (I - H)^-1/2 e` of a cluster, `H` the part of the hat matrix
/// that is its own: unbiased where rows are independent and of one scale, as `hc2` is for rows. Every coefficient has its own degrees
/// of freedom, those of Satterthwaite for that case (Bell and McCaffrey 2002, *Survey Methodology* 28, 169-181), and the F test those of
/// Pustejovsky and Tipton 2018, *Journal of Business & Economic Statistics* 36, 672-683, by whom a cluster that alone determines
/// something has a generalised inverse.
///
/// In coordinates in which the information of all rows is the identity and that of a cluster is `A`, `S = (I - A)^-1/2 X'e`, so that
/// one pass with a matrix for each cluster is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cr2 {
    /// The column, alone.
    columns: [String; 1],
}

impl Covariance for Cr2 {
    const NAME: &'static str = "cr2";
    const USAGE: &'static str = "cr2:COLUMN";
    const ABOUT: &'static str = "rows that depend on one another within few or uneven groups, least squares";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        match parameter.map(str::trim) {
            Some(column) if !column.is_empty() && !column.contains(',') => Ok(Cr2 { columns: [column.to_owned()] }),
            _ => Err("cr2 needs one column, such as cr2:firm".to_owned()),
        }
    }

    fn parameter(&self) -> Option<String> {
        Some(self.columns[0].clone())
    }

    fn remark(&self) -> String {
        format!(" (for dependence within {}, unbiased for few)", self.columns[0])
    }

    fn clusters(&self) -> &[String] {
        &self.columns
    }

    fn kinds() -> Kinds {
        Kinds::default().with::<ByCluster>()
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::LeastSquares => estimate(request),
            Kind::ScaledVertex => request.refuse(
                "it is one of least squares, and none for this noise with a modelled scale allows for dependence within groups; name \
                 another noise, such as logistic, with cluster, or leave out the scale's formula",
            ),
            _ => {
                request.refuse("it is one of least squares; use cluster, which is right for many clusters of any noise")
            }
        }
    }
}

/// With fewer degrees of freedom tests reject a true hypothesis too often all the same (Tipton 2015, *Psychological Methods* 20,
/// 375-393).
const FEW_DEGREES: f64 = 4.0;

/// A coefficient of which the clusters that alone determine something have a larger part has no standard error.
const ALONE: f64 = 1e-8;

fn estimate(request: Request<'_>) -> Result<(), Error> {
    let Request { source, fit, written, .. } = request;
    let Some(leverage) = fit.leverage().cloned() else { return Ok(()) };
    let rows = whitened(source, fit, &leverage);
    let (unit, count) = (fit.scale.common().filter(|scale| *scale > 0.0).unwrap_or(1.0), rows.adaptor().count());
    let clusters = rows.pass(ByCluster::new(unit, count))?.finish("cr2")?;
    let clusters = clusters.iter().map(Adjusted::new).collect::<Result<Vec<_>, _>>()?;
    let mut matrix = vec![0.0; packed_length(count)];
    for Adjusted { score, .. } in &clusters {
        for j in 0..count {
            for k in 0..=j {
                matrix[packed(j, k)] += unit * score[j] * (unit * score[k]);
            }
        }
    }
    let directions = leverage.directions();
    let degrees: Vec<Option<f64>> = directions.iter().map(|direction| degrees(&clusters, direction)).collect();
    let f_test = f_test(&clusters, rows.adaptor().offset(), &directions, || distance(rows.adaptor(), &matrix));
    let clustered = Some(Clustered::Adjusted(clusters.len() as u64));
    let (scale, reference) = (None, Reference::StudentT);
    let full = Estimated { leverage: &leverage, matrix, scale, clusters: clustered, reference }.store(fit, &written);
    let mut of_all = vec![None; fit.location.rows.len()];
    leverage.places().into_iter().zip(&degrees).for_each(|(place, df)| of_all[place] = *df);
    fit.set_degrees(&of_all);
    fit.f_test = f_test.filter(|_| full);
    let named = |keep: &dyn Fn(Option<f64>) -> bool| -> Vec<(String, f64)> {
        let found = leverage.places().into_iter().zip(&degrees).filter(|(_, df)| keep(**df));
        found.map(|(place, df)| (fit.location.rows[place].term.clone(), df.unwrap_or(0.0))).collect()
    };
    let alone: Vec<String> = named(&|df| df.is_none()).into_iter().map(|(term, _)| term).collect();
    let few = named(&|df| df.is_some_and(|df| df < FEW_DEGREES));
    fit.warnings.extend((!alone.is_empty()).then_some(Warning::OfOneCluster { terms: alone }));
    fit.warnings.extend((!few.is_empty()).then_some(Warning::FewDegrees { terms: few }));
    Ok(())
}

/// A cluster in coordinates of the whitened rows.
struct Adjusted {
    /// `(I - A)^-1/2 U'e`.
    score: Vec<f64>,
    /// The eigenvalues of `A`; with those that leave nothing to other clusters none.
    shares: Vec<Option<f64>>,
    /// Its eigenvectors, one after the other.
    vectors: Vec<Vec<f64>>,
}

impl Adjusted {
    /// # Errors
    /// [`Error::Unsupported`] for a matrix that has no eigenvalues, as one of numbers that are none.
    fn new(cluster: &OfCluster) -> Result<Self, Error> {
        let count = cluster.score.len();
        let whole = Mat::from_fn(count, count, |i, j| cluster.gram[symmetric(i, j)]);
        let found = whole.self_adjoint_eigen(Side::Lower).map_err(|_| {
            Error::Unsupported("cr2: the rows of a cluster have no finite products; choose other units".to_owned())
        })?;
        let (values, columns) = (found.S().column_vector(), found.U());
        let vectors: Vec<Vec<f64>> = (0..count).map(|k| (0..count).map(|i| columns[(i, k)]).collect()).collect();
        let share = |value: f64| (1.0 - value > ALONE).then(|| value.max(0.0));
        let shares: Vec<Option<f64>> = values.iter().map(|value| share(*value)).collect();
        let mut score = vec![0.0; count];
        for (vector, share) in vectors.iter().zip(&shares) {
            let Some(share) = share else { continue };
            let part = product(vector, &cluster.score) / (1.0 - share).sqrt();
            score.iter_mut().zip(vector).for_each(|(score, x)| *score += part * x);
        }
        Ok(Adjusted { score, shares, vectors })
    }

    /// `A (I - A)^-1/2 l`.
    fn shadow(&self, direction: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; direction.len()];
        for (vector, share) in self.vectors.iter().zip(&self.shares) {
            let Some(share) = share else { continue };
            let part = product(vector, direction) * share / (1.0 - share).sqrt();
            sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += part * x);
        }
        sum
    }

    /// `l' A m`, and of `l' m` the part that is determined by the cluster alone.
    fn parts(&self, one: &[f64], other: &[f64]) -> (f64, f64) {
        let (mut within, mut alone) = (0.0, 0.0);
        for (vector, share) in self.vectors.iter().zip(&self.shares) {
            let both = product(vector, one) * product(vector, other);
            match share {
                Some(share) => within += share * both,
                None => alone += both,
            }
        }
        (within, alone)
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Satterthwaite's degrees of freedom of the variance of `l'b`; none where a cluster alone determines a part of it.
///
/// The variance is the sum over clusters of `(p_g' e)^2`; of independent rows `e` it has the mean `sum p_g'p_g` and the variance
/// `2 sum (p_g'p_h)^2`, with `p_g'p_h = [g = h] l'A_g l - a_g'a_h` and `a_g = A_g (I - A_g)^-1/2 l`.
fn degrees(clusters: &[Adjusted], direction: &[f64]) -> Option<f64> {
    let length = product(direction, direction);
    let count = direction.len();
    let (mut mean, mut squares, mut alone) = (0.0, 0.0, 0.0);
    // sum of a a'.
    let mut crossed = vec![0.0; packed_length(count)];
    let within: Vec<(f64, Vec<f64>)> = clusters
        .iter()
        .map(|cluster| {
            let (within, of_it_alone) = cluster.parts(direction, direction);
            alone += of_it_alone;
            (within, cluster.shadow(direction))
        })
        .collect();
    if alone > ALONE * length {
        return None;
    }
    for (within, shadow) in &within {
        // p_g'p_g = l' A (I - A)^-1 l - a'a, whose first part is l'A l + a'a.
        let own = product(shadow, shadow);
        mean += within;
        squares += (within + own).powi(2) - 2.0 * (within + own) * own;
        for j in 0..count {
            for k in 0..=j {
                crossed[packed(j, k)] += shadow[j] * shadow[k];
            }
        }
    }
    let total: f64 =
        (0..count).flat_map(|j| (0..count).map(move |k| (j, k))).map(|(j, k)| crossed[symmetric(j, k)].powi(2)).sum();
    Some(mean * mean / (squares + total))
}

/// Operations that the degrees of freedom of the F test may take.
const MOST_WORK: f64 = 1e10;

/// The test that all slopes are zero: `(eta - q + 1) / (eta q)` times Wald's statistic, compared with F on `q` and `eta - q + 1` degrees
/// of freedom (Pustejovsky and Tipton 2018, section 3.2); none where a slope has no degrees of freedom, or these leave none.
fn f_test(
    clusters: &[Adjusted],
    offset: usize,
    directions: &[Vec<f64>],
    distance: impl FnOnce() -> Option<(f64, usize)>,
) -> Option<FTest> {
    let basis = orthonormal(&directions[offset..]);
    let (q, count) = (basis.len(), directions.len());
    if q == 0 || q < directions.len() - offset {
        return None;
    }
    if (q * q * count * count * clusters.len()) as f64 > MOST_WORK {
        return None;
    }
    let shadows: Vec<Vec<Vec<f64>>> =
        clusters.iter().map(|cluster| basis.iter().map(|l| cluster.shadow(l)).collect()).collect();
    let mut variance = 0.0;
    for s in 0..q {
        for t in 0..q {
            // d_g of (s, s), (t, t) and (s, t): l' A (I - A)^-1 m.
            let (mut diagonal, mut crossed) = (0.0, vec![0.0; count * count]);
            for (cluster, shadow) in clusters.iter().zip(&shadows) {
                let own = |a: usize, b: usize| {
                    let (within, alone) = cluster.parts(&basis[a], &basis[b]);
                    let shadow = product(&shadow[a], &shadow[b]);
                    (within + shadow, shadow, alone)
                };
                let ((ss, n_ss, alone), (tt, n_tt, _), (st, n_st, _)) = (own(s, s), own(t, t), own(s, t));
                if alone > ALONE {
                    return None;
                }
                diagonal += ss * tt - ss * n_tt - tt * n_ss + st * st - 2.0 * st * n_st;
                for (j, a) in shadow[s].iter().enumerate() {
                    for (k, b) in shadow[t].iter().enumerate() {
                        crossed[j * count + k] += a * b;
                    }
                }
            }
            // Over all pairs of clusters: the squares of sum a_s a_t', and its product with its transpose.
            let squares: f64 = crossed.iter().map(|x| x * x).sum();
            let turned: f64 = (0..count)
                .flat_map(|j| (0..count).map(move |k| (j, k)))
                .map(|(j, k)| crossed[j * count + k] * crossed[k * count + j])
                .sum();
            variance += diagonal + squares + turned;
        }
    }
    let q = q as f64;
    let eta = q * (q + 1.0) / variance;
    let df = eta - q + 1.0;
    let (square, _) = distance()?;
    (df > 0.0).then(|| FTest::new(square, q, eta, df))?
}

/// Directions that span the same, at right angles to one another and of length one; fewer where they are linear combinations.
fn orthonormal(directions: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for direction in directions {
        let length = product(direction, direction).sqrt();
        let mut rest: Vec<f64> = direction.iter().map(|x| x / length).collect();
        // Twice is enough.
        for _ in 0..2 {
            for known in &basis {
                let along = product(known, &rest);
                rest.iter_mut().zip(known).for_each(|(x, known)| *x -= along * known);
            }
        }
        let length = product(&rest, &rest).sqrt();
        if length > 1e-10 {
            rest.iter_mut().for_each(|x| *x /= length);
            basis.push(rest);
        }
    }
    basis
}
