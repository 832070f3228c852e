//! TeX as MathML, by a library, and as characters for a terminal.

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, push_mathml};

/// A formula as an element of MathML on a line of its own. The formulas are written here, never by a user.
pub(super) fn mathml(tex: &str) -> String {
    let storage = Storage::new();
    let mut text = String::new();
    let config = RenderConfig { display_mode: DisplayMode::Block, ..RenderConfig::default() };
    match push_mathml(&mut text, Parser::new(tex, &storage), config) {
        // A long line is scrolled where the page is narrow, with the keyboard, too.
        Ok(()) => text.replacen("<math ", "<math tabindex=\"0\" ", 1),
        Err(_) => unicode(tex),
    }
}

/// Commands and the characters that they stand for.
const SYMBOLS: &[(&str, &str)] = &[
    ("sigma", "σ"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("rho", "ρ"),
    ("psi", "ψ"),
    ("pi", "π"),
    ("tau", "τ"),
    ("Gamma", "Γ"),
    ("ell", "ℓ"),
    ("partial", "∂"),
    ("sum", "Σ"),
    ("prod", "Π"),
    ("int", "∫"),
    ("propto", "∝"),
    ("top", "ᵀ"),
    ("mid", "|"),
    ("cdot", "·"),
    ("le", "≤"),
    ("ni", "∋"),
    ("ldots", "…"),
    ("ln", "ln"),
    ("exp", "exp"),
    ("arg", "arg"),
    ("min", "min"),
    ("max", "max"),
    ("cosh", "cosh"),
    ("tanh", "tanh"),
    ("left", ""),
    ("right", ""),
    (";", " "),
    (",", " "),
];

/// What follows a command or a sign: a group, a command with its own, or a character; and the rest.
fn argument(tex: &str) -> (String, &str) {
    let tex = tex.trim_start();
    if let Some(inside) = tex.strip_prefix('{') {
        let mut depth = 1;
        for (i, c) in inside.char_indices() {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if depth == 0 {
                return (inside[..i].to_owned(), &inside[i + 1..]);
            }
        }
        return (inside.to_owned(), "");
    }
    if let Some(rest) = tex.strip_prefix('\\') {
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()).max(1).min(rest.len());
        return (format!("\\{}", &rest[..end]), &rest[end..]);
    }
    let end = tex.chars().next().map_or(0, char::len_utf8);
    (tex[..end].to_owned(), &tex[end..])
}

/// A part in parentheses, unless it is one word.
fn grouped(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_alphanumeric() || "._\u{302}²³ᵢₙ".contains(c));
    if plain || text.starts_with('(') && text.ends_with(')') && !text[1..text.len() - 1].contains(['(', ')']) {
        text.to_owned()
    } else {
        format!("({text})")
    }
}

fn raised(text: &str) -> String {
    let of = |c: char| "0123456789-+".chars().position(|known| known == c).and_then(|i| "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺".chars().nth(i));
    match text.chars().map(of).collect::<Option<String>>() {
        Some(raised) => raised,
        None if text == "ᵀ" || text == "n" => text.replace('n', "ⁿ"),
        None => format!("^{}", grouped(text)),
    }
}

fn lowered(text: &str) -> String {
    let of = |c: char| {
        "0123456789ijnxy=".chars().position(|known| known == c).and_then(|i| "₀₁₂₃₄₅₆₇₈₉ᵢⱼₙₓᵧ₌".chars().nth(i))
    };
    match text.chars().map(of).collect::<Option<String>>() {
        // The ends of sums are plain from what is summed.
        Some(_) if text.contains('=') => String::new(),
        Some(lowered) => lowered,
        None => format!("_{}", grouped(text)),
    }
}

/// A formula as characters in a line.
pub(super) fn unicode(tex: &str) -> String {
    let mut text = String::new();
    let mut rest = tex;
    let mut sums = false;
    while let Some(c) = rest.chars().next() {
        match c {
            '\\' => {
                let (command, after) = argument(rest);
                rest = after;
                let name = &command[1..];
                sums = matches!(name, "sum" | "prod");
                match name {
                    "frac" => {
                        let (above, after) = argument(rest);
                        let (below, after) = argument(after);
                        text += &format!("{} / {}", grouped(&unicode(&above)), grouped(&unicode(&below)));
                        rest = after;
                    }
                    "sqrt" => {
                        let (inside, after) = argument(rest);
                        text += &format!("√{}", grouped(&unicode(&inside)));
                        rest = after;
                    }
                    "hat" | "bar" => {
                        let (inside, after) = argument(rest);
                        text += &unicode(&inside);
                        text.push(if name == "hat" { '\u{302}' } else { '\u{304}' });
                        rest = after;
                    }
                    "mathrm" | "text" => {
                        let (inside, after) = argument(rest);
                        text += &inside;
                        rest = after;
                    }
                    _ => {
                        text += SYMBOLS.iter().find(|(known, _)| *known == name).map_or(name, |(_, symbol)| symbol);
                    }
                }
            }
            '^' | '_' => {
                let (inside, after) = argument(&rest[1..]);
                let inside = unicode(&inside);
                // The upper end of a sum goes with its lower one.
                let upper = c == '^' && sums && inside == "n";
                text += &if upper {
                    String::new()
                } else if c == '^' {
                    raised(&inside)
                } else {
                    lowered(&inside)
                };
                rest = after;
            }
            '{' => {
                let (inside, after) = argument(rest);
                text += &unicode(&inside);
                rest = after;
            }
            _ => {
                text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_as_characters() {
        for (tex, text) in [
            ("\\hat\\sigma = \\sqrt{\\frac{SSE}{n}}", "σ\u{302} = √(SSE / n)"),
            ("\\sum_{i=1}^n (y_i - x_i^\\top \\beta)^2", "Σ (yᵢ - xᵢᵀ β)²"),
            ("e^{-r^2 / 2}", "e^(-r² / 2)"),
            ("10^{-5}", "10⁻⁵"),
            ("\\frac{\\nu + 1}{2}", "(ν + 1) / 2"),
        ] {
            assert_eq!(unicode(tex), text);
        }
    }
}
