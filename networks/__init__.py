"""What is built: generators and discriminators with the official layer names, one idea a file."""
