//! scratch
use noisefit::linear::Moments;
use noisefit::rows::*;
use std::time::Instant;
fn main() {
    for (n, p) in [(1_000_000usize, 20usize), (100_000, 200)] {
        let mut s = 1u64;
        let mut rnd = || {
            s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (s >> 11) as f64 / (1u64 << 53) as f64
        };
        let x: Vec<f64> = (0..n * p).map(|_| rnd()).collect();
        let y: Vec<f64> = (0..n).map(|_| rnd()).collect();
        for threads in [1, 2] {
            for layout in 0..2 {
                let m = if layout == 0 { Matrix::row_major(&x, n, p) } else { Matrix::column_major(&x, n, p) }.unwrap();
                let rows = MemoryRows::new(&y, m).unwrap().with_threads(threads);
                let mut best = f64::INFINITY;
                for _ in 0..5 {
                    let t = Instant::now();
                    let r = rows.pass(Moments::new(p, true)).unwrap();
                    std::hint::black_box(r.product(0, 0));
                    best = best.min(t.elapsed().as_secs_f64());
                }
                println!("{n} x {p} threads {threads} layout {layout}: {:.2} ms", best * 1e3);
            }
        }
        let t = Instant::now();
        let s: f64 = x.chunks(8).map(|c| c.iter().sum::<f64>()).sum();
        println!("read {:.2} ms {s}", t.elapsed().as_secs_f64() * 1e3);
    }
}
