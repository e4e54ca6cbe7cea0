"""Thermal-infrared images into colour, visible images into infrared: methods, benchmark, tools."""
