"""What wraps bodies from outside: middlewares."""
