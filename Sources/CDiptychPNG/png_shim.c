int dp_png_placeholder;
