"""What differs between two views: factors and their spaces, rotations, transforms as a group, symmetries of objects.

Pure functions in numpy that may import the ground alone. Begin reading at `space`.
"""
