# Averages at means by emmeans and effects: run from this folder, `Rscript emmeans.R > emmeans.json`.
# Made with R 4.2.2, emmeans 1.8.4-1 and effects 4.2-2.
suppressMessages({library(emmeans); library(effects)})
cars <- read.csv("../mtcars.csv"); cars$cyl <- factor(cars$cyl)
line <- lm(mpg ~ wt * hp + cyl, cars)
logged <- lm(log(mpg) ~ wt + cyl, cars)
number <- function(x) formatC(x, digits = 17, format = "g")
rows <- function(estimate, error)
  paste0("[", paste0('{"estimate": ', number(estimate), ', "std_error": ', number(error), "}", collapse = ", "), "]")
case <- function(name, formula, options, effects)
  paste0('{"name": "', name, '", "formula": "', formula, '", "options": ["', paste(options, collapse = '", "'), '"], "effects": ', effects, "}")
interaction <- "mpg ~ wt*hp + C(cyl)"
means <- as.data.frame(emmeans(line, "cyl"))
slope <- as.data.frame(emtrends(line, ~ 1, var = "wt"))
# Levels less the reference, as noisefit has them.
pairs <- as.data.frame(contrast(emmeans(line, "cyl"), "revpairwise"))
back <- as.data.frame(emmeans(logged, "cyl", type = "response"))
along <- as.data.frame(Effect("wt", line, xlevels = list(wt = c(2, 3, 4))))
cases <- c(
  case("emmeans of a factor", interaction, c("--of", "predictions", "--at", "mean", "cyl=4,6,8"), rows(means$emmean, means$SE)),
  case("emtrends at means", interaction, c("--variables", "wt", "--at", "mean"), rows(slope$wt.trend, slope$SE)),
  case("pairs of emmeans", interaction, c("--of", "comparisons", "--variables", "cyl=pairwise", "--at", "mean"), rows(pairs$estimate, pairs$SE)),
  case("emmeans of a logarithm, undone", "log(mpg) ~ wt + C(cyl)",
       c("--of", "predictions", "--at", "mean", "cyl=4,6,8", "--units", "median"), rows(back$response, back$SE)),
  # effects averages over a factor's levels in their proportions.
  case("Effect along a number", interaction, c("--of", "predictions", "--at", "wt=2,3,4", "hp=mean"), rows(along$fit, along$se)))
cat('{"versions": "', R.version.string, ", emmeans ", as.character(packageVersion("emmeans")), ", effects ",
    as.character(packageVersion("effects")), '",\n "cases": [\n', paste(cases, collapse = ",\n"), "]}\n", sep = "")
