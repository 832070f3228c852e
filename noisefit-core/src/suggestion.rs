//! The right name that a wrong one was meant for.

/// `; did you mean 'log'? ` where a name is near enough, else `; `: what stands between a wrong name and the right
/// ones.
pub fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    // Of a single letter every other is one edit away.
    let allowed = match name.chars().count() {
        0 | 1 => 0,
        2 | 3 => 1,
        _ => 2,
    };
    let nearest = known.map(|known| (distance(name, known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= allowed => format!("; did you mean '{known}'? "),
        _ => "; ".to_owned(),
    }
}

/// The number of insertions, deletions, substitutions and swaps of neighbours between two names, case ignored
/// (Damerau 1964, in the variant that edits no part twice).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut current = vec![i + 1];
        for j in 0..b.len() {
            let mut edits = (previous[j] + usize::from(a[i] != b[j])).min(previous[j + 1] + 1).min(current[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                edits = edits.min(before[j - 1] + 1);
            }
            current.push(edits);
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits() {
        for (a, b, edits) in [
            ("log", "lgo", 1),
            ("income", "incme", 1),
            ("Income", "income", 0),
            ("kitten", "sitting", 3),
            ("", "ab", 2),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}
