module @dot_bf16_to_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<5x3xbf16>, %arg2: tensor<2x5xf32>) -> (tensor<2x5xf32>, tensor<2x3xbf16>, tensor<5x3xbf16>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1] : (tensor<2x3xbf16>, tensor<5x3xbf16>) -> tensor<2x5xf32>
    %1 = stablehlo.convert %arg2 : (tensor<2x5xf32>) -> tensor<2x5xbf16>
    %2 = stablehlo.dot_general %1, %arg1, contracting_dims = [1] x [0] : (tensor<2x5xbf16>, tensor<5x3xbf16>) -> tensor<2x3xf32>
    %3 = stablehlo.convert %2 : (tensor<2x3xf32>) -> tensor<2x3xbf16>
    %4 = stablehlo.dot_general %1, %arg0, contracting_dims = [0] x [0] : (tensor<2x5xbf16>, tensor<2x3xbf16>) -> tensor<5x3xf32>
    %5 = stablehlo.convert %4 : (tensor<5x3xf32>) -> tensor<5x3xbf16>
    return %0, %3, %5 : tensor<2x5xf32>, tensor<2x3xbf16>, tensor<5x3xbf16>
  }
}
