"""What is asked: typed settings (``schema``), the command line (``cli``), and the error a user can cause."""
