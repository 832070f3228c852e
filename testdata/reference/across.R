# Reference for tests of slopes across quantiles: anova of several quantiles in R's quantreg (nid, and kernel).
# Run in the folder testdata: Rscript reference/across.R > reference/across.json
suppressMessages(library(quantreg))
digits <- function(x) format(x, digits = 17)
engel <- read.csv("engel.csv")
case <- function(formula, data, taus, se, joint) {
  table <- anova(rq(formula, tau = taus, data = data), se = se, joint = joint)$table
  sprintf('  {"formula": "%s", "taus": [%s], "vcov": "%s", "joint": %s, "df": %d, "f": [%s]}',
          deparse(formula), paste(taus, collapse = ", "), se, tolower(joint), table$ndf[1],
          paste(digits(as.numeric(table$Tn)), collapse = ", "))
}
cases <- c(
  case(foodexp ~ income, engel, c(0.25, 0.75), "nid", TRUE),
  case(foodexp ~ income, engel, c(0.25, 0.5, 0.75), "nid", TRUE),
  case(foodexp ~ income + I(income^2), engel, c(0.2, 0.5, 0.8), "nid", TRUE),
  case(foodexp ~ income + I(income^2), engel, c(0.2, 0.5, 0.8), "nid", FALSE),
  case(foodexp ~ income, engel, c(0.1, 0.5, 0.9), "ker", TRUE)
)
cat(sprintf('{"quantreg": "%s", "R": "%s", "cases": [\n%s\n]}\n', packageVersion("quantreg"), getRversion(),
            paste(cases, collapse = ",\n")))
