import Diptych
print("placeholder")
