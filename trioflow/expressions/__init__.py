"""Expressions in documents: conditions and values in CEL, the Common Expression Language, by cel-expr-python.

They have no side effects, can't loop without end, and are checked when a graph is: what they name, and that no text is
compared with a number.
"""

from trioflow.expressions.cel import LONGEST, BadExpression, Expression, compile_expression

__all__ = ["LONGEST", "BadExpression", "Expression", "compile_expression"]
