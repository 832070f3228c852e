# Fits by sampling weights, with the standard errors of R's survey package: writes sampling.json, 17 digits a number. Run as
# `Rscript sampling.R` in this folder with survey and quantreg installed; the file's first object has the versions.
#
# Gaussian noise of one scale is survey's own svyglm, of rows drawn by themselves and of rows drawn in clusters. Under other noise the
# estimates solve sum(w s) = 0 for the scores s as they are written here, by Newton's method on differences of these scores, and the
# covariance is that which survey has of a total: svytotal of A^-1 s, the influence of a row, with A = -d sum(w s) / d parameters. Scores
# of huber noise are those of its coefficients, the scale taken as given. Quantiles are quantreg's with weights; their errors are
# computed here, H^-1 [n / (n - 1) sum(w^2 (tau - (e < 0))^2 x x')] H^-1 without the rows on the fit, H by Powell's kernel.
suppressMessages({library(survey); library(quantreg)})

list_of <- function(values) paste0("[", paste(sprintf("%.17g", as.numeric(values)), collapse = ", "), "]")
lines <- c()
tell <- function(case, ...) {
  text <- function(name) sprintf('"%s": "%s"', name, case[[name]])
  numbers <- list(...)
  said <- sprintf('"%s": %s', names(numbers), sapply(numbers, list_of))
  lines <<- c(lines, paste0("    {", paste(c(sapply(names(case), text), said), collapse = ", "), "}"))
}
design_of <- function(case, data) {
  ids <- if (is.null(case$cluster)) ~1 else as.formula(paste("~", case$cluster))
  svydesign(ids = ids, weights = eval(parse(text = case$weights), data), data = data)
}
read <- function(case) read.csv(file.path("..", paste0(case$data, ".csv")))

# Gaussian noise.
diabetes <- "y ~ age + sex + bmi + bp + s1 + s2 + s3 + s4 + s5 + s6"
for (case in list(
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income"),
  list(data = "mtcars", formula = "mpg ~ wt + hp", weights = "hp/qsec"),
  list(data = "mtcars", formula = "mpg ~ 0 + wt + hp", weights = "hp/qsec"),
  list(data = "mtcars", formula = "mpg ~ wt + hp", weights = "hp/qsec", cluster = "carb"),
  list(data = "diabetes", formula = diabetes, weights = "7/(0.1 + (age - 48)^2/100)"),
  list(data = "diabetes", formula = diabetes, weights = "7/(0.1 + (age - 48)^2/100)", cluster = "age")
)) {
  data <- read(case)
  fit <- svyglm(as.formula(case$formula), design_of(case, data))
  found <- summary(fit)$coefficients
  tell(c(case, noise = "gaussian"), estimates = found[, 1], std_errors = found[, 2], vcov = vcov(fit), p_values = found[, 4],
    df = fit$df.residual)
}

# Scores by rows of the location's coefficients, of those of the logarithm of the scale, and of 1 / df.
scores <- function(noise, parameters, x, z, y) {
  b <- parameters[seq_len(ncol(x))]
  s <- exp(drop(z %*% parameters[ncol(x) + seq_len(ncol(z))]))
  r <- drop(y - x %*% b) / s
  psi <- switch(noise,
    gaussian = r,
    logistic = tanh(r / 2),
    huber = pmax(-1.345, pmin(1.345, r)),
    `student-t:4` = 5 * r / (4 + r^2),
    `student-t` = {
      df <- 1 / parameters[length(parameters)]
      (df + 1) * r / (df + r^2)
    }
  )
  found <- cbind(psi / s * x, (r * psi - 1) * z)
  if (noise == "student-t") {
    by_df <- 0.5 * (digamma((df + 1) / 2) - digamma(df / 2) - 1 / df - log1p(r^2 / df) + (df + 1) * r^2 / (df^2 + df * r^2))
    found <- cbind(found, -df^2 * by_df)
  }
  found
}

# -d f / d parameters by central differences, extrapolated twice.
information <- function(f, parameters) {
  sapply(seq_along(parameters), function(j) {
    h <- 2e-3 * max(abs(parameters[j]), 1e-3)
    slope <- function(h) {
      moved <- function(by) f(replace(parameters, j, parameters[j] + by))
      (moved(h) - moved(-h)) / (2 * h)
    }
    d <- sapply(h / c(1, 2, 4), slope)
    first <- (4 * d[, 2:3] - d[, 1:2]) / 3
    -(16 * first[, 2] - first[, 1]) / 15
  })
}

for (case in list(
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income", noise = "logistic"),
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income", noise = "student-t:4"),
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income", noise = "huber"),
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income", noise = "student-t:4", scale = "~ income"),
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income", noise = "gaussian", scale = "~ income"),
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income", noise = "student-t"),
  list(data = "diabetes", formula = "y ~ bmi + bp + s5", weights = "7/(0.1 + (age - 48)^2/100)", noise = "logistic", cluster = "age"),
  list(data = "diabetes", formula = "y ~ bmi + bp + s5", weights = "7/(0.1 + (age - 48)^2/100)", noise = "gaussian", scale = "~ bmi + s5",
    cluster = "age")
)) {
  data <- read(case)
  design <- design_of(case, data)
  w <- weights(design)
  x <- model.matrix(as.formula(case$formula), data)
  z <- if (is.null(case$scale)) matrix(1, nrow(data), 1) else model.matrix(as.formula(case$scale), data)
  y <- model.response(model.frame(as.formula(case$formula), data))
  total <- function(parameters) colSums(w * scores(case$noise, parameters, x, z, y))
  start <- lm.wfit(x, y, w)
  parameters <- c(start$coefficients, log(sqrt(sum(w * start$residuals^2) / sum(w))), rep(0, ncol(z) - 1))
  parameters[ncol(x) + 1] <- parameters[ncol(x) + 1] - if (case$noise %in% c("logistic", "student-t", "student-t:4")) 0.6 else 0
  # Modelled scales begin with the regression of log |e|.
  if (ncol(z) > 1) parameters[ncol(x) + seq_len(ncol(z))] <- lm.wfit(z, log(abs(start$residuals)) + 0.6, w)$coefficients
  if (case$noise == "student-t") {
    # 1 / df by its logarithm, from a search that needs no derivatives.
    loss <- function(p) {
      s <- exp(drop(z %*% p[ncol(x) + seq_len(ncol(z))]))
      -sum(w / mean(w) * (dt(drop(y - x %*% p[seq_len(ncol(x))]) / s, exp(-p[length(p)]), log = TRUE) - log(s)))
    }
    size <- pmax(abs(parameters), 1e-3)
    found <- optim(c(parameters, log(0.2)), loss, method = "BFGS", control = list(maxit = 5000, reltol = 1e-15, parscale = c(size, 1)))
    parameters <- replace(found$par, length(found$par), exp(found$par[length(found$par)]))
  }
  for (turn in 1:20) {
    step <- solve(information(total, parameters), total(parameters))
    parameters <- parameters + step
    size <- max(abs(step) / pmax(abs(parameters), 1e-3))
    if (size < 1e-14) break
  }
  stopifnot(size < 1e-12)
  s <- scores(case$noise, parameters, x, z, y)
  a <- information(total, parameters)
  kept <- seq_along(parameters)
  if (case$noise == "huber") {
    scale <- exp(parameters[ncol(x) + 1])
    inside <- abs(y - x %*% parameters[seq_len(ncol(x))]) <= 1.345 * scale
    kept <- seq_len(ncol(x))
    a <- crossprod(x, drop(w * inside) * x) / scale^2
  }
  v <- vcov(svytotal(s[, kept] %*% solve(a), design))
  location <- seq_len(ncol(x))
  numbers <- list(case = case, estimates = parameters[location], std_errors = sqrt(diag(v))[location], vcov = v[location, location])
  if (!is.null(case$scale)) {
    of_scale <- ncol(x) + seq_len(ncol(z))
    numbers <- c(numbers, list(scale_estimates = parameters[of_scale], scale_std_errors = sqrt(diag(v))[of_scale]))
  }
  if (case$noise == "student-t") {
    last <- length(parameters)
    numbers <- c(numbers, list(inverse_df = parameters[last], inverse_df_std_error = sqrt(v[last, last])))
  }
  do.call(tell, numbers)
}

# Quantiles.
for (case in list(
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income", noise = "laplace", tau = 0.5),
  list(data = "engel", formula = "foodexp ~ income", weights = "1000/income", noise = "quantile:0.8", tau = 0.8),
  list(data = "diabetes", formula = "y ~ bmi + bp + s5", weights = "7/(0.1 + (age - 48)^2/100)", noise = "quantile:0.25", tau = 0.25)
)) {
  data <- read(case)
  data$w <- eval(parse(text = case$weights), data)
  data$w <- data$w / mean(data$w)
  tau <- case$tau
  fit <- rq(as.formula(case$formula), tau = tau, data = data, weights = w, method = "br")
  x <- model.matrix(as.formula(case$formula), data)
  w <- data$w
  n <- nrow(x)
  # quantreg multiplies rows by their weights.
  e <- drop(model.response(model.frame(as.formula(case$formula), data)) - x %*% fit$coefficients)
  h <- bandwidth.rq(tau, n, hs = TRUE)
  while (tau - h < 0 || tau + h > 1) h <- h / 2
  order <- order(e)
  below <- cumsum(w[order])
  quantile_at <- function(level) e[order][which(below >= level * n)[1]]
  quartile <- function(share) {
    place <- (n - 1) * share
    level <- function(rank) min((rank + 0.5) / n, 1 - 0.5 / n)
    ends <- c(quantile_at(level(floor(place))), quantile_at(level(floor(place) + 1)))
    ends[1] + (place %% 1) * (ends[2] - ends[1])
  }
  deviation <- sqrt(sum(w * (e - sum(w * e) / n)^2) / (n - 1))
  width <- (qnorm(tau + h) - qnorm(tau - h)) * min(deviation, (quartile(0.75) - quartile(0.25)) / 1.34)
  bread <- solve(crossprod(x, w * dnorm(e / width) / width * x))
  side <- ifelse(abs(e) < 1e-9 * mean(abs(e)), 0, ifelse(e > 0, tau, tau - 1))
  v <- bread %*% (n / (n - 1) * crossprod(w * side * x)) %*% bread
  tell(case[names(case) != "tau"], estimates = fit$coefficients, std_errors = sqrt(diag(v)), vcov = v)
}

versions <- sprintf('"R": "%s.%s", "survey": "%s", "quantreg": "%s"', R.version$major, R.version$minor,
  packageVersion("survey"), packageVersion("quantreg"))
writeLines(c("{", paste0('  "versions": {', versions, "},"), '  "cases": [', paste(lines, collapse = ",\n"), "  ]", "}"), "sampling.json")
