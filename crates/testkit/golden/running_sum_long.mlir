module @running_sum_long attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<300x2xf32>, %arg1: tensor<300x2xf32>) -> (tensor<300x2xf32>, tensor<300x2xf32>) {
    %0 = stablehlo.constant dense<0.0> : tensor<f32>
    %1 = stablehlo.pad %arg0, %0, low = [0, 0], high = [84, 0], interior = [0, 0] : (tensor<300x2xf32>, tensor<f32>) -> tensor<384x2xf32>
    %2 = stablehlo.reshape %1 : (tensor<384x2xf32>) -> tensor<3x128x2xf32>
    %3 = stablehlo.iota dim = 0 : tensor<128x128xf32>
    %4 = stablehlo.iota dim = 1 : tensor<128x128xf32>
    %5 = stablehlo.compare LE, %3, %4, FLOAT : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xi1>
    %6 = stablehlo.convert %5 : (tensor<128x128xi1>) -> tensor<128x128xf32>
    %7 = stablehlo.dot_general %2, %6, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x128x2xf32>, tensor<128x128xf32>) -> tensor<3x2x128xf32>
    %8 = stablehlo.transpose %7, dims = [0, 2, 1] : (tensor<3x2x128xf32>) -> tensor<3x128x2xf32>
    %9 = stablehlo.constant dense<0.0> : tensor<f32>
    %10 = stablehlo.reduce(%2 init: %9) applies stablehlo.add across dimensions = [1] : (tensor<3x128x2xf32>, tensor<f32>) -> tensor<3x2xf32>
    %11 = stablehlo.iota dim = 0 : tensor<3x3xf32>
    %12 = stablehlo.iota dim = 1 : tensor<3x3xf32>
    %13 = stablehlo.compare LT, %11, %12, FLOAT : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xi1>
    %14 = stablehlo.convert %13 : (tensor<3x3xi1>) -> tensor<3x3xf32>
    %15 = stablehlo.dot_general %10, %14, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    %16 = stablehlo.transpose %15, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [0, 2] : (tensor<3x2xf32>) -> tensor<3x128x2xf32>
    %18 = stablehlo.add %8, %17 : tensor<3x128x2xf32>
    %19 = stablehlo.reshape %18 : (tensor<3x128x2xf32>) -> tensor<384x2xf32>
    %20 = stablehlo.slice %19 [0:300, 0:2] : (tensor<384x2xf32>) -> tensor<300x2xf32>
    %21 = stablehlo.constant dense<0.0> : tensor<f32>
    %22 = stablehlo.pad %arg1, %21, low = [0, 0], high = [84, 0], interior = [0, 0] : (tensor<300x2xf32>, tensor<f32>) -> tensor<384x2xf32>
    %23 = stablehlo.reshape %22 : (tensor<384x2xf32>) -> tensor<3x128x2xf32>
    %24 = stablehlo.constant dense<0.0> : tensor<f32>
    %25 = stablehlo.reduce(%23 init: %24) applies stablehlo.add across dimensions = [1] : (tensor<3x128x2xf32>, tensor<f32>) -> tensor<3x2xf32>
    %26 = stablehlo.transpose %25, dims = [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
    %27 = stablehlo.dot_general %26, %14, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    %28 = stablehlo.transpose %27, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
    %29 = stablehlo.broadcast_in_dim %28, dims = [0, 2] : (tensor<3x2xf32>) -> tensor<3x128x2xf32>
    %30 = stablehlo.transpose %23, dims = [0, 2, 1] : (tensor<3x128x2xf32>) -> tensor<3x2x128xf32>
    %31 = stablehlo.dot_general %30, %6, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<3x2x128xf32>, tensor<128x128xf32>) -> tensor<3x2x128xf32>
    %32 = stablehlo.transpose %31, dims = [0, 2, 1] : (tensor<3x2x128xf32>) -> tensor<3x128x2xf32>
    %33 = stablehlo.add %29, %32 : tensor<3x128x2xf32>
    %34 = stablehlo.reshape %33 : (tensor<3x128x2xf32>) -> tensor<384x2xf32>
    %35 = stablehlo.slice %34 [0:300, 0:2] : (tensor<384x2xf32>) -> tensor<300x2xf32>
    return %20, %35 : tensor<300x2xf32>, tensor<300x2xf32>
  }
}
