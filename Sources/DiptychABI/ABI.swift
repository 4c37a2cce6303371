import Diptych
