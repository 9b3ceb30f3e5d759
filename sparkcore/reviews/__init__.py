"""What people say of pictures: corrected labels, stars, tags and notes, kept beside the runs."""
