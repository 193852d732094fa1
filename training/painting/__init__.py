"""The bundled style paintings: one file for each way of painting, and the materials that they share."""
