//! Least squares against NIST's certified values and constructed problems.
use noisefit::linear::LeastSquares;
use noisefit::rows::{Matrix, MemoryRows};

fn table(name: &str) -> Vec<Vec<f64>> {
    let path = format!("{}/../testdata/nist/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect()
}

fn digits(found: f64, exact: f64) -> f64 {
    -(found / exact - 1.0).abs().max(1e-17).log10()
}

#[test]
fn show() {
    let exact: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("/work/shared/data/nist/certified.json").unwrap()).unwrap();
    for (name, set) in exact["datasets"].as_object().unwrap() {
        let rows = table(set["csv"].as_str().unwrap().trim_end_matches(".csv"));
        let p = set["p"].as_u64().unwrap() as usize;
        let intercept = set["intercept"].as_bool().unwrap();
        let k = p - usize::from(intercept);
        let y: Vec<f64> = rows.iter().map(|r| r[0]).collect();
        let x: Vec<f64> = rows
            .iter()
            .flat_map(|r| (1..=k).map(|j| if r.len() > 2 { r[j] } else { r[1].powi(j as i32) }).collect::<Vec<_>>())
            .collect();
        let mut source = MemoryRows::new(&y, Matrix::row_major(&x, y.len(), k).unwrap()).unwrap();
        if !intercept {
            source = source.without_intercept();
        }
        let fit = LeastSquares::solve(&source, 11.0).unwrap();
        let certified: Vec<f64> = set["exact_34_digits"]["estimate"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap().parse().unwrap())
            .collect();
        let se: Vec<f64> = set["exact_34_digits"]["std_error"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap().parse().unwrap())
            .collect();
        let worst = fit
            .coefficients
            .iter()
            .zip(&certified)
            .map(|(b, c)| b.map_or(-1.0, |b| digits(b, *c)))
            .fold(99.0, f64::min);
        let s2 = fit.residual_sum_of_squares / (y.len() - p) as f64;
        let worst_se = (0..p)
            .map(|j| {
                let found = (s2 * fit.unscaled_covariance[j * (j + 1) / 2 + j]).sqrt();
                if se[j] == 0.0 { if found == 0.0 { 17.0 } else { -found.log10() } } else { digits(found, se[j]) }
            })
            .fold(99.0, f64::min);
        println!("{name}: {worst:.1} se {worst_se:.1} {:?} aliased {:?}", fit.accuracy, fit.aliased);
    }
}
