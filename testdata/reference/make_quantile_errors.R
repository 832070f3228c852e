# Standard errors of quantile regressions by R's quantreg: writes quantile_errors.json, 17 digits a number. Run as
# `Rscript make_quantile_errors.R` in this folder with quantreg installed.
#
# `iid`, `nid` and `kernel` are those of quantreg's own `summary` (se = "iid", "nid", "ker"). Precisions w are given to
# quantreg as weights sqrt(w), by which it multiplies rows; frequencies by repeating rows. `nid_defined` is the same `nid`
# without the 1.5e-8 that quantreg takes off the distance of the quantiles before it divides by it, whatever their unit.
# `iid` rests on a median regression of order statistics on their ranks; where quantreg says that its solution may not be
# unique, `iid` is left out: another one is as good.
suppressMessages(library(quantreg))

cases <- list(
  list("engel", "foodexp ~ income", c(0.1, 0.25, 0.5, 0.75, 0.9)),
  list("engel", "foodexp ~ income", c(0.5, 0.8), weights = "1/income"),
  list("engel", "foodexp ~ income", c(0.5, 0.8), frequencies = "income %/% 100 %% 4 + 1"),
  list("stackloss", "stack_loss ~ air_flow + water_temp + acid_conc", 0.5),
  list("mtcars", "mpg ~ wt + hp", c(0.25, 0.5, 0.75)),
  list("mtcars", "mpg ~ 0 + wt + hp", 0.5),
  list("swiss", "fertility ~ agriculture + examination + education + catholic + infant_mortality", c(0.25, 0.5)),
  list("diabetes", "y ~ age + sex + bmi + bp + s1 + s2 + s3 + s4 + s5 + s6", c(0.25, 0.5, 0.9)),
  list("hbk", "y ~ x1 + x2 + x3", 0.5)
)

list_of <- function(values) paste0("[", paste(sprintf("%.17g", values), collapse = ", "), "]")
lines <- c()
for (case in cases) {
  data <- read.csv(file.path("..", paste0(case[[1]], ".csv")))
  formula <- as.formula(case[[2]])
  weights <- if (is.null(case$weights)) rep(1, nrow(data)) else eval(parse(text = case$weights), data)
  counts <- if (is.null(case$frequencies)) rep(1, nrow(data)) else eval(parse(text = case$frequencies), data)
  places <- rep(seq_len(nrow(data)), counts)
  rows <- data[places, ]
  rows$root <- sqrt(weights)[places]
  for (tau in case[[3]]) {
    fit <- rq(formula, tau = tau, data = rows, weights = root, method = "br")
    errors <- function(how) as.numeric(summary(fit, se = how, covariance = TRUE)$coefficients[, 2])
    unique <- TRUE
    iid <- withCallingHandlers(errors("iid"), warning = function(w) {
      if (grepl("nonunique", conditionMessage(w))) unique <<- FALSE
      invokeRestart("muffleWarning")
    })
    x <- model.matrix(formula, rows) * rows$root
    y <- model.response(model.frame(formula, rows)) * rows$root
    h <- bandwidth.rq(tau, length(y), hs = TRUE)
    while (tau - h < 0 || tau + h > 1) h <- h / 2
    apart <- x %*% (rq.fit.br(x, y, tau + h)$coefficients - rq.fit.br(x, y, tau - h)$coefficients)
    density <- as.numeric(ifelse(apart > 0, 2 * h / apart, 0))
    bread <- solve(crossprod(x, density * x))
    defined <- sqrt(tau * (1 - tau) * diag(bread %*% crossprod(x) %*% bread))
    text <- function(name, value) sprintf('"%s": "%s"', name, value)
    lines <- c(lines, paste0("  {", paste(c(
      text("data", case[[1]]), text("formula", case[[2]]), sprintf('"tau": %g', tau),
      if (!is.null(case$weights)) sprintf('"weights": %s', list_of(weights)),
      if (!is.null(case$frequencies)) sprintf('"frequencies": %s', list_of(counts)),
      sprintf('"crossed": %d', sum(apart <= 0)),
      if (unique) sprintf('"iid": %s', list_of(iid)),
      sprintf('"%s": %s', c("nid", "kernel", "nid_defined"),
        c(list_of(errors("nid")), list_of(errors("ker")), list_of(defined)))
    ), collapse = ", "), "}"))
  }
}
writeLines(c("[", paste(lines, collapse = ",\n"), "]"), "quantile_errors.json")
