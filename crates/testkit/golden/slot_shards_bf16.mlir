module @slot_shards_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<4x37xf32>, %arg2: tensor<2x3x37xbf16>) -> (tensor<2x3x37xbf16>, tensor<2x3x4xf32>, tensor<4x37xf32>) {
    %0 = stablehlo.convert %arg0 : (tensor<2x3x4xf32>) -> tensor<2x3x4xbf16>
    %1 = stablehlo.convert %arg1 : (tensor<4x37xf32>) -> tensor<4x37xbf16>
    %2 = stablehlo.dot_general %0, %1, contracting_dims = [2] x [0] : (tensor<2x3x4xbf16>, tensor<4x37xbf16>) -> tensor<2x3x37xf32>
    %3 = stablehlo.convert %2 : (tensor<2x3x37xf32>) -> tensor<2x3x37xbf16>
    %4 = stablehlo.convert %arg2 : (tensor<2x3x37xbf16>) -> tensor<2x3x37xf32>
    %5 = stablehlo.dot_general %4, %arg1, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x37xf32>, tensor<4x37xf32>) -> tensor<2x3x4xf32>
    %6 = stablehlo.dot_general %arg0, %4, contracting_dims = [0, 1] x [0, 1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4xf32>, tensor<2x3x37xf32>) -> tensor<4x37xf32>
    return %3, %5, %6 : tensor<2x3x37xbf16>, tensor<2x3x4xf32>, tensor<4x37xf32>
  }
}
