"""SavedModels that take raw strings."""

from dlfa_tf.serving.export_module import export_saved_model

__all__ = ["export_saved_model"]
