"""From conditions to motion: sampling, loaded models, splicing, and the calls of the public interface."""
